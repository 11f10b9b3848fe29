"""What the paper reports (Gandhi et al., "Swoosh! Rattle! Thump!", 2020)."""

WEIGHTS = (0.0, 0.05, 0.1, 0.2, 1.0)
"""Values of λ in tables I and II."""

ACCURACY_SET_A = {0.0: 0.738, 0.05: 0.780, 0.1: 0.770, 0.2: 0.786, 1.0: 0.027}
"""Table I: classification of set A, by λ."""

INVERSE_SEEN = {0.0: 0.395, 0.05: 0.024, 0.1: 0.022, 0.2: 0.014, 1.0: 0.008}
"""Table I: inverse model on set A, mean squared error, by λ."""

INVERSE_UNSEEN = {0.0: 0.352, 0.1: 0.027, 0.2: 0.020, 1.0: 0.027}
"""Table I: inverse model on set B, by λ; the column of 0.05 is not printed."""

IMAGE_INVERSE_SEEN = 0.043
"""IV-C: from two pictures, set A."""

IMAGE_INVERSE_UNSEEN = 0.047
"""IV-C: from two pictures, set B. Table I and IV-D print 0.043."""

RANDOM_INVERSE = 0.4
"""IV-C: a random model."""

ACCURACY_ALL = 0.761
"""IV-B: classification of all 60 objects, λ = 0."""

ACCURACY_ALL_JOINT = 0.795
"""IV-D: the same, trained jointly."""

FORWARD_SEEN = {0.0: 0.225, 0.05: 0.221, 0.1: 0.220, 0.2: 0.222, 1.0: 0.239}
"""Table II: forward model on set A, L1, by λ of the embedding."""

FORWARD_UNSEEN = {0.0: 0.195, 0.05: 0.194, 0.1: 0.193, 0.2: 0.1945, 1.0: 0.195}
"""Table II: forward model on set B."""

FORWARD_IMAGE = (0.258, 0.256)
"""Table II: ResNet features, set A and set B."""

FORWARD_ORACLE = (0.206, 0.155)
"""Table II: class labels, set A and set B."""

FEW_SHOT = {1: 0.25, 20: 0.40}
"""IV-E: from audio embeddings, by k (read off the text: "around")."""

FEW_SHOT_IMAGE = {1: 0.75}
"""IV-E: from ImageNet features."""

PUSHING_BLIND = 0.180
"""IV-G: L2 on the test objects without the embedding."""

PUSHING_AUDIO = 0.159
"""IV-G: with it."""
