"""The embedding of a network that has learned nothing: the rival that costs nothing."""

import numpy as np
import numpy.typing as npt

from policy_ros.data.store import Store
from policy_ros.evaluation.runner import RUNS, Place
from policy_ros.evaluation.study import JOINT, embedding_group
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.models.embedding import AudioEmbedding
from policy_ros.models.zoo import build_model
from policy_ros.training.predicting import predict, preparation_of
from policy_ros.training.run_folder import CHECKPOINT


def untrained_embedding(
    place: Place, seed: int, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Return embeddings of rows by the paper's network as it was before training.

    Its normalizer is that of the trained one: only the weights are random.
    """
    folder = place.out / RUNS / f"{embedding_group(JOINT)}_seed{seed}" / CHECKPOINT
    trained, contract = load_checkpoint(folder)
    model = build_model(contract.model, contract.settings, contract.shapes, seed=seed).eval()
    for fresh, fitted in zip(model.modules(), trained.modules(), strict=True):
        if isinstance(fresh, AudioEmbedding):
            fresh.normalizer.load_state_dict(fitted.get_submodule("normalizer").state_dict())
    store = Store.open(place.store)
    return predict(model, preparation_of(contract, store), store, rows, ("embedding",))["embedding"]
