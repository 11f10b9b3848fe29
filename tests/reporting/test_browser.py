"""The report in a real browser, opened from the disk."""

import shutil

import pytest
from report_data import HOSTILE

from tiltbot_ros.reporting.report import make_report
from tiltbot_ros.reporting.settings import ReportSettings


def until(tab, condition: str) -> None:
    """Wait until a condition holds; Playwright's own waiting is against the page's policy."""
    for _ in range(200):
        if tab.evaluate(condition):
            return
        tab.wait_for_timeout(50)
    pytest.fail(f"never: {condition}")


def ids(tab) -> list[str]:
    return tab.locator("tbody tr td:first-child .link").all_text_contents()


def test_it_opens_with_its_numbers_and_charts(visit, made):
    tab = visit(made)
    tiles = tab.locator(".tile").all_text_contents()
    assert tiles[0].startswith("6episodes")
    assert tiles[1].startswith("4objects")
    assert "clean" in tiles[2]
    # Time, actions, levels and contacts are drawn; six contacts tell no rate.
    assert tab.locator(".charts svg[role=img]").count() >= 4
    assert tab.locator(".bars a").count() >= 4
    assert tab.title() == "Overview · a data set"


def test_names_and_labels_are_only_text(visit, made):
    for address in ("#/", "#/objects", "#/episodes", "#/episodes?view=gallery"):
        tab = visit(made, address)
        until(tab, "!document.querySelector('.waiting')")
        assert tab.evaluate("typeof hacked") == "undefined"
        assert HOSTILE in tab.evaluate("document.body.textContent")
        assert tab.locator("img[src=x]").count() == 0
    tab = visit(made, "#/episodes")
    tab.get_by_role("button", name="ep_000004").click()
    assert HOSTILE in tab.locator("dialog").text_content()
    tab.locator("dialog dd a").click()
    until(tab, "document.querySelector('h1').textContent !== 'Episodes'")
    assert tab.locator("h1").text_content() == HOSTILE.replace("_", " ")
    assert tab.evaluate("typeof hacked") == "undefined"


def test_the_policy_stops_what_would_slip_through(visit, made):
    tab = visit(made)
    tab.evaluate(
        """() => {
          const node = document.createElement("div");
          node.innerHTML = '<img src="data:," onerror="hacked=1"><p onclick="hacked=1">x</p>';
          document.body.append(node);
          node.querySelector("p").click();
        }"""
    )
    tab.wait_for_timeout(300)
    assert tab.evaluate("typeof hacked") == "undefined"
    assert any("Content Security Policy" in text for text in visit.complaints)
    assert not tab.evaluate("fetch('https://example.org').then(() => true, () => false)")
    visit.complaints.clear()


def test_filters_choose_and_stay_in_the_address(visit, made):
    tab = visit(made, "#/episodes")
    assert ids(tab) == [f"ep_{number:06d}" for number in range(1, 7)]
    tab.locator("select[name=verdict]").select_option("flagged")
    assert ids(tab) == ["ep_000002", "ep_000005"]
    tab.locator("select[name=kind]").select_option("continuity /audio")
    assert ids(tab) == ["ep_000002"]
    tab.reload()
    assert ids(tab) == ["ep_000002"]
    assert tab.locator("select[name=verdict]").input_value() == "flagged"
    tab.get_by_role("button", name="Clear").click()
    tab.locator("select[name=set]").select_option("A")
    assert ids(tab) == ["ep_000001", "ep_000002"]
    tab.get_by_role("button", name="Clear").click()
    tab.locator("select[name=outcome]").select_option("fell out")
    assert ids(tab) == ["ep_000003"]
    tab.go_back()
    tab.go_back()
    assert ids(tab) == ["ep_000001", "ep_000002"]


def test_the_search_finds_words_in_any_field(visit, made):
    tab = visit(made, "#/episodes")
    tab.keyboard.press("/")
    tab.keyboard.type("who=ada")
    assert ids(tab) == ["ep_000003"]
    assert tab.locator(".hits").text_content() == "1 of 6 episodes"
    tab.locator("input[name=q]").fill("441 FRAMES mug")
    assert ids(tab) == ["ep_000002"]
    tab.locator("input[name=q]").fill("nothing is called so")
    assert "No episode fits" in tab.locator("main").text_content()


def test_columns_sort_and_pages_turn(visit, crowd, tmp_path):
    page = make_report(crowd, tmp_path / "r", ReportSettings(gallery=0)).page
    tab = visit(page, "#/episodes")
    assert len(ids(tab)) == 50
    assert tab.locator(".pager .place").text_content() == "page 1 of 3"
    tab.get_by_role("link", name="Next page").click()
    assert ids(tab)[0] == "ep_000051"
    tab.get_by_role("link", name="Last page").click()
    assert ids(tab) == [f"ep_{number:06d}" for number in range(101, 131)]
    head = tab.get_by_role("button", name="Level")
    head.click()
    assert tab.locator("th[aria-sort=ascending]").text_content() == "Level"
    assert ids(tab)[0] == "ep_000002"
    head.click()
    assert ids(tab)[0] == "ep_000130"
    tab.locator("select[name=object]").select_option("banana")
    assert tab.locator(".pager .place").text_content() == "page 1 of 2"
    tab.get_by_role("link", name="Overview").click()
    assert "median" in tab.locator(".chart", has_text="Contact rate").text_content()


@pytest.mark.parametrize("single", [False, True])
def test_the_gallery_shows_and_plays(visit, made, data, tmp_path, single):
    if single:
        made = make_report(data, tmp_path / "one.html", ReportSettings(gallery=4)).page
    tab = visit(made, "#/object/025_mug")
    until(tab, "document.querySelectorAll('.shot audio').length === 2")
    shot = tab.locator(".shot").first
    assert shot.locator(".frame img").count() == 2
    assert shot.locator(".arrow").count() == 1
    assert shot.locator(".way").count() == 1
    sizes = shot.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert min(sizes) >= 160
    until(tab, "[...document.querySelectorAll('audio')].every(a => a.readyState >= 1)")
    assert abs(tab.locator("audio").first.evaluate("a => a.duration") - 4.0) < 0.1
    shot.get_by_role("button", name="Play").click()
    until(tab, "document.querySelector('audio').currentTime > 0.1")
    assert shot.get_by_role("button", name="Pause").count() == 1
    tab.locator(".shot .seek").nth(1).fill("2500")
    assert tab.locator("audio").nth(1).evaluate("a => a.currentTime") == pytest.approx(2.5)


def test_only_the_chunks_that_are_shown_are_loaded(visit, made):
    tab = visit(made, "#/")
    loaded = []
    tab.on("request", lambda r: r.url.endswith(".js") and loaded.append(r.url.rsplit("/", 1)[-1]))
    tab.get_by_role("link", name="025 mug").first.click()
    until(tab, "document.querySelectorAll('.shot audio').length === 2")
    assert len(loaded) == 2


def test_an_episode_opens_and_the_keys_lead_on(visit, made):
    tab = visit(made, "#/episodes")
    tab.get_by_role("button", name="ep_000002").focus()
    tab.keyboard.press("Enter")
    dialog = tab.locator("dialog")
    dialog.locator("audio").wait_for(state="attached")
    assert "441 frames lost" in dialog.text_content()
    tab.keyboard.press("ArrowRight")
    dialog.get_by_role("heading", name="ep_000003").wait_for()
    tab.keyboard.press("Escape")
    assert not dialog.evaluate("d => d.open")


def test_what_cannot_be_read_says_why(visit, made):
    tab = visit(made, "#/object/banana")
    tab.locator(".shot .nothing").wait_for()
    assert "the bag is truncated" in tab.locator(".shot .nothing").text_content()


def test_a_missing_file_beside_the_page_is_told(visit, made, tmp_path):
    page = shutil.copy(made, tmp_path / "alone.html")
    tab = visit(tmp_path / "alone.html", "#/object/025_mug")
    tab.locator(".shot .nothing").first.wait_for()
    assert "keep it beside this page" in tab.locator(".shot .nothing").first.text_content()
    assert page.exists()
    visit.complaints.clear()  # the browser's own words about the missing file


def test_light_and_dark_are_readable(visit, made):
    tab = visit(made, "#/episodes")
    contrast = """() => {
      const light = (color) => {
        const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map((v) => {
          v /= 255;
          return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const [ink, muted, card] = ["--ink", "--muted", "--card"].map((name) => {
        const probe = document.createElement("i");
        probe.style.color = `var(${name})`;
        document.body.append(probe);
        const found = light(getComputedStyle(probe).color);
        probe.remove();
        return found;
      });
      const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return [ratio(ink, card), ratio(muted, card)];
    }"""
    for _ in range(2):
        ink, muted = tab.evaluate(contrast)
        assert ink > 7
        assert muted > 4.5
        tab.locator("#theme").click()


def test_nothing_sticks_out_at_any_width(visit, made):
    tab = visit(made, "#/")
    inside = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    for width in (360, 820, 1600):
        tab.set_viewport_size({"width": width, "height": 800})
        for address in ("#/", "#/objects", "#/episodes", "#/object/025_mug"):
            tab.evaluate("address => { location.hash = address }", address)
            tab.wait_for_timeout(50)
            assert tab.evaluate(inside), (width, address)
