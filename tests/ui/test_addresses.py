"""Whatever stands in a page's address: a sentence or the default, never an exception."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from hypothesis.strategies import SearchStrategy
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import local_script_runner

import effnet_viz.ui
from effnet_viz.analysis import faithfulness, pointing_game
from effnet_viz.analysis.analysis import Analysis
from effnet_viz.analysis.evaluation import MethodScores
from effnet_viz.analysis.randomization import Cascade, SanityCheck, sanity_check
from effnet_viz.attribution.methods import GRAD_CAM, Method, MethodRefusedError
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.images.decode import decode
from effnet_viz.images.samples import samples
from effnet_viz.lab import demo
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.metrics.deletion import FRACTIONS, Curve
from effnet_viz.models import fetching, model, scaling
from effnet_viz.models.model import Model
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness
from effnet_viz.ui import results, words
from effnet_viz.ui.compare.address import ADDRESS as COMPARE
from effnet_viz.ui.explain.address import ADDRESS as EXPLAIN
from effnet_viz.ui.lab.address import ADDRESS as LAB
from effnet_viz.ui.layout.fold import fold
from effnet_viz.ui.layout.url_parameters import (
    Choice,
    Choices,
    Flag,
    Number,
    Parameter,
    Text,
)
from effnet_viz.ui.methods.address import ADDRESS as METHODS
from effnet_viz.ui.mistakes.address import ADDRESS as MISTAKES
from effnet_viz.ui.results import TimedAttribution
from effnet_viz.ui.scaling.address import ADDRESS as RULES
from tests.conftest import eager
from tests.ui.opening import open_page, open_whatever_happens, part, parts
from tests.ui.own_network import put_network, put_pictures

UI = Path(effnet_viz.ui.__file__).parent

PAGES: dict[str, Sequence[Parameter]] = {
    "app.py": EXPLAIN,
    "pages/compare_scaling.py": COMPARE,
    "pages/methods.py": METHODS,
    "pages/mistakes.py": MISTAKES,
    "pages/scaling_lab.py": LAB,
    "pages/scaling_rules.py": RULES,
}
"""What each page declares."""

TEXTS = {
    "image": ["palace", "upload-3"],
    "model": ["lite0", "b0", "upload-0123456789ab"],
    "target": ["espresso", "tiger cat"],
    "other": ["espresso", "tench"],
    "box": ["0.3,0.2,0.6,0.6", "0,0,1,1"],
    "members": ["lite0,b0", "lite2", ""],
    "custom": ["b0-r448", "lite0-w1.2", "b0"],
    "place": ["0.300,0.600", "0,1"],
    "first_at": ["0.300,0.600", "0,1"],
    "second_at": ["0.300,0.600", "0,1"],
    "networks": ["lite0", "lite0-r448,own-own", "lite2,b0"],
    "picture": ["0123456789abcdef"],
}
"""What each parameter of free text can say."""

EVERYTHING = [
    ("app.py", {"box": "0.3,0.2,0.6,0.6", "blur": "hide the part", "channel": "7"}),
    ("app.py", {"method": "layer-cam"}),
    ("pages/compare_scaling.py", {"race": "true", "pointing": "true", "method": "layer-cam"}),
    ("pages/compare_scaling.py", {"family": "a whole family", "custom": "b0-r448"}),
    ("pages/methods.py", {"run": ["lime"], "other": "espresso"}),
    (
        "pages/methods.py",
        {"measure": "true", "scramble": "true", "position": "3", "left": "cam", "right": "fem"},
    ),
    ("pages/mistakes.py", {"order": "surest", "shows": "espresso", "picture": "0" * 16}),
    ("pages/mistakes.py", dict.fromkeys(("confusion", "training", "method_found"), "true")),
    ("pages/scaling_lab.py", {"second": "a brown hen"}),
    (
        "pages/scaling_lab.py",
        {"bench": "Five miniatures"}
        | dict.fromkeys(("pairs", "cost", "curves", "limits", "reading"), "true")
        | dict.fromkeys(("by_depth", "two_objects", "which_method"), "true"),
    ),
    ("pages/scaling_rules.py", {"cost": "parameters"}),
]
"""Links that together lead to everything that stands in an address."""

NASTY = [
    *("", " ", "nan", "inf", "-inf", "1e400", "-1", "0", "0.5", "1,2", "True", "None", "null"),
    *("9" * 5_000, "x" * 9_000, "٣", "²", "\0", "\u202egnp", "\ufffd", "🙂", "a\nb"),
    *("../../etc/passwd", "<script>alert(1)</script>", "%00", "[]", "{}", "upload-3", "b0-r9999"),
]


# What pages compute is cheap here: one network stands for all, and for all of its own results.


@pytest.fixture(scope="module", autouse=True)
def cheap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    small = eager("lite0")

    def under_its_key(ref: ModelRef) -> Model:
        return dataclasses.replace(small, id=small.id._replace(key=ref.key))

    @cache
    def five_of_one() -> dict[str, Model]:
        one = demo._model(SCALINGS["baseline"], demo._recipe(SCALINGS["baseline"]))
        return {
            key: dataclasses.replace(one, id=one.id._replace(key=f"lab-{key}")) for key in SCALINGS
        }

    def by_the_cheapest(analysis: Analysis, method: Method, *_: object) -> TimedAttribution:
        made = analysis.attribute(GRAD_CAM, analysis.model.last_stage)
        return TimedAttribution(dataclasses.replace(made, method=method), 0.1)

    def scrambled(analysis: Analysis, *_: object) -> SanityCheck:
        maps = np.ones((analysis.model.last_stage + 2, 7, 7), np.float32)
        cascade = Cascade((0.5,) * len(maps), {"cam": maps}, {"saliency": "No."})
        return sanity_check(analysis, ["cam", "saliency"], runner=lambda *_, **__: cascade)

    def refuse(*_: object) -> MethodScores:
        raise MethodRefusedError("There is no map of it here. Choose another.")

    @cache
    def raced() -> faithfulness.DeletionInsertion:
        photograph = decode(samples()["cat"].path.read_bytes())
        curve = Curve(FRACTIONS, tuple(1 - fraction for fraction in FRACTIONS))
        attribution = results.explanation(small, photograph, None, None).attribution
        return faithfulness.DeletionInsertion(attribution, curve, curve)

    @cache
    def played() -> results.PlayedGame:
        cells = [
            pointing_game.GridCell(decode(samples()[key].path.read_bytes()), target)
            for target, key in enumerate(list(samples())[:4])
        ]
        return results.PlayedGame(
            pointing_game.grid_pointing(small, cells), samples()["cat"].path.read_bytes()
        )

    networks = tmp_path_factory.mktemp("networks")
    put_network(networks / "Own", labels=None)
    put_pictures(networks / "Own", ["espresso", "palace"], 2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFNET_VIZ_NETWORKS", str(networks))
        patch.setattr(results, "model", under_its_key)
        patch.setattr(results, "deletion_insertion", lambda *_: raced())
        patch.setattr(results, "grid_pointing", lambda *_: played())
        patch.setattr(results, "timed_attribution", by_the_cheapest)
        patch.setattr(results, "sanity_check", scrambled)
        patch.setattr(results, "method_scores", refuse)
        patch.setattr(fetching, "readiness", lambda _: Readiness.READY)
        patch.setattr(scaling, "built", lambda *_: scaling.baseline())
        patch.setattr(scaling, "figures", cache(scaling.figures.__wrapped__))
        patch.setattr(demo, "_models", five_of_one)
        patch.setattr(model, "create_cached", lambda recipe: TorchEngine(recipe.network()))
        yield
    results.clear()


# What is declared is what is read


def _read_in_source() -> set[str]:
    """Names of the parameters that the source binds to widgets, reads or writes."""
    found = set()
    for path in UI.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        loops = _loops_of(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            if isinstance(keywords.get("bind"), ast.Constant):
                name = keywords["key"]
            elif isinstance(node.func, ast.Name) and node.func.id == fold.__name__:
                if "in_link" in keywords:
                    continue
                name = node.args[1]
            elif isinstance(node.func, ast.Attribute) and node.func.attr in (
                "read_url",
                "write_url",
            ):
                name = node.args[0]
            else:
                continue
            if isinstance(name, ast.Attribute) and name.attr == "name":  # of a declaration
                found |= _declared_in(path)
                continue
            if isinstance(name, ast.Name) and name.id in loops:
                found |= loops[name.id]
                continue
            assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: a name in plain sight"
            found.add(name.value)
    return found


def _loops_of(tree: ast.Module) -> dict[str, set[str]]:
    """What is named one after the other in plain sight, by the variable of the loop."""
    return {
        loop.target.id: {ast.literal_eval(one) for one in loop.iter.elts}
        for loop in ast.walk(tree)
        if isinstance(loop, ast.For)
        and isinstance(loop.target, ast.Name)
        and isinstance(loop.iter, ast.Tuple)
        and all(isinstance(one, ast.Constant) for one in loop.iter.elts)
    }


def _declared_in(path: Path) -> set[str]:
    """Names of the parameters that have a name of their own in this module."""
    inside = path.relative_to(UI).with_suffix("").parts
    module = importlib.import_module(".".join((effnet_viz.ui.__name__, *inside)))
    return {value.name for value in vars(module).values() if isinstance(value, Parameter)}


def test_every_parameter_in_the_source_is_declared() -> None:
    assert _read_in_source() == {
        parameter.name for address in PAGES.values() for parameter in address
    }


def test_the_address_is_read_in_one_place() -> None:
    """Nothing but url_state asks Streamlit for query parameters; pages have no widgets."""
    pages = [UI.parents[1] / name for name in PAGES]
    reading = {
        path.name
        for path in [*UI.rglob("*.py"), *pages]
        if any(
            isinstance(node, ast.Attribute) and node.attr == "query_params"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert reading == {"url_state.py"}
    assert not any("bind=" in path.read_text(encoding="utf-8") for path in pages)


def test_every_page_declares_what_it_takes_from_the_address() -> None:
    taken: dict[str, set[str]] = {name: set() for name in PAGES}
    for name, link in EVERYTHING:
        page = open_page(name, **link)
        taken[name] |= {one for one in _read_in_source() if one in page.session_state}
    assert taken == {
        name: {parameter.name for parameter in address} for name, address in PAGES.items()
    }


# Whatever stands there


def allowed(parameter: Parameter) -> SearchStrategy[list[str]]:
    """What the page itself could write."""
    match parameter:
        case Choice():
            return some.sampled_from(list(parameter.options)).map(lambda one: [one])
        case Choices():
            several = some.lists(some.sampled_from(list(parameter.options)), unique=True)
            return several.map(lambda chosen: chosen or [""])
        case Flag():
            return some.sampled_from([["true"], ["false"]])
        case Number():
            most = min((parameter.high - parameter.low) / parameter.step, 8)
            steps = some.integers(0, round(most))
            return steps.map(lambda step: [f"{parameter.low + step * parameter.step:g}"])
        case Text():
            return some.sampled_from(TEXTS[parameter.name]).map(lambda one: [one])


def near(parameter: Parameter) -> SearchStrategy[list[str]]:
    """Almost what the page could write."""
    changes = [
        lambda value: [value, value],
        lambda value: [value, ""],
        lambda value: [value + " "],
        lambda value: [value + "0"],
        lambda value: [value + ",0"],
        lambda value: [value.upper()],
        lambda value: [value[1:]],
        lambda value: ["-" + value],
    ]
    changed = some.builds(
        lambda values, change: change(values[0]), allowed(parameter), some.sampled_from(changes)
    )
    if not isinstance(parameter, Number):
        return changed
    edges = [parameter.low - parameter.step, parameter.low + parameter.step / 2]
    edges += [parameter.high + parameter.step] * (parameter.high < float("inf"))
    return some.one_of(changed, some.sampled_from([[f"{edge:g}"] for edge in edges]))


def hostile(parameter: Parameter) -> SearchStrategy[list[str]]:
    return some.one_of(
        allowed(parameter),
        near(parameter),
        some.sampled_from(NASTY).map(lambda value: [value]),
        some.lists(some.sampled_from(NASTY), min_size=2, max_size=3),
        some.text(max_size=20).map(lambda value: [value]),
    )


def links(name: str) -> SearchStrategy[dict[str, list[str]]]:
    """Addresses of a page with all of its parameters."""
    address = PAGES[name]
    return some.fixed_dictionaries({parameter.name: hostile(parameter) for parameter in address})


def check(name: str, link: dict[str, list[str]]) -> None:
    """The page stands, and what it does not allow is gone and told in one sentence."""
    address = PAGES[name]
    page = open_whatever_happens(name, **link)  # an exception on it fails
    assert not [error.value for error in page.error if "Something went wrong" in error.value]
    assert part(page, "strip")["page"] == words.PAGES[name][0]
    named = [parameter for parameter in address if parameter.name in link]
    refused = {one.name for one in named if not one.allows(link[one.name])}
    # What only the chosen network decides.
    may_be = {one.name for one in named if isinstance(one, Number) and one.high == float("inf")}
    told = [info.value for info in page.info if "asks for something that does not" in info.value]
    assert len(told) <= 1
    names = set(re.findall(r"`(\w+)`", "".join(told)))
    assert refused <= names <= refused | may_be
    told_browser = [one["values"] for one in parts(page, "address")]  # or it waits for a photograph
    for parameter in address:
        held = page.query_params.get(parameter.name)
        for values in told_browser:
            held = values.get(parameter.name, held)
        if held is not None and told_browser:  # the default, where the page writes it
            assert parameter.allows([held] if isinstance(held, str) else held)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("value", ["", pytest.param("9" * 10_000, id="10 kB")])
def test_a_link_with_nonsense_in_every_parameter(name: str, value: str) -> None:
    check(name, {parameter.name: [value] for parameter in PAGES[name]})


def test_the_back_button_to_a_link_with_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    """The widget is there already, and Streamlit lets nobody change what one is bound to."""
    page = open_page("pages/scaling_rules.py", cost="parameters")
    went_back = partial(RerunData, is_history_navigation=True)
    monkeypatch.setattr(local_script_runner, "RerunData", went_back)
    page.query_params["cost"] = ""
    page.run()
    assert not page.exception
    assert not page.error
    assert "(`cost`). The default is shown" in page.info[0].value
    assert page.get_by_key("cost").value == "multiply-adds"  # type: ignore[attr-defined]
    assert part(page, "address")["values"]["cost"] is None


bounded = partial(
    settings,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@bounded(max_examples=5, phases=[Phase.generate])  # making a failure smaller takes minutes
@given(some.data())
@pytest.mark.parametrize("name", PAGES)
def test_a_link_with_anything(name: str, data: some.DataObject) -> None:
    check(name, data.draw(links(name)))


@pytest.mark.exhaustive
@bounded(max_examples=150)
@given(some.data())
@pytest.mark.parametrize("name", PAGES)
def test_a_link_with_anything_at_length(name: str, data: some.DataObject) -> None:
    check(name, data.draw(links(name)))
