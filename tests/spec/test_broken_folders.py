"""A folder with a mistake is refused with file, line and key, by ``lint`` and by every command that loads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spec_folders import CLAUSES, ERRATA, FILES, OPENAPI, VERSION, Maker

from conformance.cli import main
from conformance.errors import SpecError
from conformance.spec.loading import load
from conformance.spectools.lint import lint

OVERLAY_VERSION = VERSION.replace('label = "tiny"', 'label = "next"\nextends = "tiny"')
OVERLAY = """\
overlay: 1.0.0
info: {title: next, version: '1'}
actions:
  - target: $.info
    update: {version: next}
"""


def line_of(text: str, part: str) -> int:
    """The number of the first line that holds a part."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


BROKEN = [
    pytest.param(("version.toml", "live =", "lief ="), line_of(VERSION, "live"), "lief", "live", id="typo in a key"),
    pytest.param(
        ("version.toml", '"preview"', '"previw"'), line_of(VERSION, "status"), "status", "preview", id="typo in a value"
    ),
    pytest.param(
        ("version.toml", "complete = true", 'complete = "yes"'),
        line_of(VERSION, "complete"),
        "complete",
        "true or false",
        id="kind",
    ),
    pytest.param(
        ("version.toml", "[api_version]", "[api_version"),
        line_of(VERSION, "[api_version"),
        "",
        "not TOML",
        id="not TOML",
    ),
    pytest.param(("version.toml", "complete = true", f"complete = {'9' * 5000}"), None, "", "not TOML", id="digits"),
    pytest.param(
        ("version.toml", "complete = true", f"complete = {'[' * 100_000}"), None, "", "nested too deeply", id="nested"
    ),
    pytest.param(
        ("clauses.toml", 'keyword = "MUST"', ""),
        line_of(CLAUSES, "[[clause]]"),
        "clause tiny-order, keyword",
        "missing",
        id="missing key",
    ),
    pytest.param(
        ("clauses.toml", "[[refusal]]", CLAUSES[: CLAUSES.index("[[refusal]]")] + "[[refusal]]"),
        line_of(CLAUSES, "[[refusal]]") + 1,
        "clause tiny-order",
        "already used on line 1",
        id="duplicate id",
    ),
    pytest.param(
        ("errata.toml", '"value": 64', '"value": 63'),
        line_of(ERRATA, "patch"),
        "erratum tiny-user, patch",
        "does not apply",
        id="patch does not apply",
    ),
    pytest.param(
        ("errata.toml", '"op": "test"', '"op": "add"'),
        line_of(ERRATA, "patch"),
        "erratum tiny-user, patch",
        "begin with a test",
        id="patch without a test",
    ),
    pytest.param(
        ("openapi.yaml", "#/components/schemas/request'", "#/components/schemas/reqest'"),
        line_of(OPENAPI, "schemas/request'"),
        "$ref",
        "points nowhere",
        id="dangling ref",
    ),
    pytest.param(
        ("openapi.yaml", "#/components/schemas/request'", "other.yaml#/request'"),
        line_of(OPENAPI, "schemas/request'"),
        "$ref",
        "out of the document",
        id="ref to a file",
    ),
    pytest.param(
        ("openapi.yaml", "        user: {", "        user: {$ref: '#/components/schemas/request/properties/user', "),
        line_of(OPENAPI, "        user: {"),
        "/components/schemas/request/properties/user",
        "contains itself in the same place",
        id="a schema that is itself",
    ),
    pytest.param(
        ("openapi.yaml", "minLength", "minLenght"),
        line_of(OPENAPI, "minLength"),
        "minLenght",
        "did you mean minLength",
        id="typo in a keyword",
    ),
    pytest.param(
        ("openapi.yaml", "      tags: [embeddings]", "      operationId: again"),
        line_of(OPENAPI, "tags:"),
        "",
        "'operationId' is already on line 10",
        id="duplicate key",
    ),
    pytest.param(("openapi.yaml", "security: [", "security: [["), None, "", "not YAML", id="not YAML"),
]


@pytest.mark.parametrize(("edit", "line", "key", "told"), BROKEN)
def test_loading_names_file_line_and_key(
    edit: tuple[str, str, str], line: int | None, key: str, told: str, versions_folder: Maker
) -> None:
    folder = versions_folder(edit)
    with pytest.raises(SpecError) as caught:
        load("tiny", folder)
    place = f"{folder / 'tiny' / edit[0]}:{line if line is not None else ''}"
    assert str(caught.value).startswith(place)
    assert key in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("command", [["spec", "lint", "tiny"], ["list", "operations", "--api-version", "tiny"]])
def test_commands_exit_2(command: list[str], versions_folder: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    folder = versions_folder(("openapi.yaml", "#/components/schemas/answer'", "#/components/schemas/anser'"))
    assert main([*command, "--specs", str(folder)]) == 2
    told = "".join(capsys.readouterr())
    assert f"openapi.yaml:{line_of(OPENAPI, 'schemas/answer')}" in told
    assert "Traceback" not in told


def test_all_typos_of_the_tables_are_named_at_once(versions_folder: Maker) -> None:
    folder = versions_folder(("clauses.toml", "text =", "txt ="), ("version.toml", "live =", "lief ="))
    assert {"lief", "live", "clause tiny-order, txt", "clause tiny-order, text"} <= {
        p.key for p in lint(("tiny",), folder)
    }


LINTED = [
    pytest.param(
        ("openapi.yaml", "operationId: embeddings.create", "operationId: Embed"), "not of the form", id="form of an id"
    ),
    pytest.param(
        ("openapi.yaml", "operationId: embeddings.create", "operationId: embeddings.made"),
        "called embeddings.create in",
        id="stable id",
    ),
    pytest.param(("openapi.yaml", "tags: [embeddings]", "tags: [a, b]"), "exactly one tag", id="tags"),
    pytest.param(
        ("openapi.yaml", "security: [{apiKey: []}, {bearer: []}]", "security: [{apiKey: []}]"),
        "offer bearer",
        id="security",
    ),
    pytest.param(
        ("openapi.yaml", "{name: api-version, in: query", "{name: api-key, in: header"),
        "not parameters",
        id="key as a parameter",
    ),
    pytest.param(
        ("openapi.yaml", "        '200':", "        '400': {description: bad}\n        '200':"),
        "without its form",
        id="error without a form",
    ),
    pytest.param(
        ("openapi.yaml", "data: {type: array, items: {type: number}}", "data: {type: array}"), "needs items", id="array"
    ),
    pytest.param(
        ("openapi.yaml", "    answer:\n", "    spare: {type: string}\n    answer:\n"), "nothing refers", id="unused"
    ),
    pytest.param(("openapi.yaml", "minLength: 1", "minLength: few"), "openapi-spec-validator", id="outside tool"),
    pytest.param(
        ("clauses.toml", 'state = "planned"', 'checks = ["chat.no-such-check"]'),
        "no check is called",
        id="unknown check",
    ),
    pytest.param(("clauses.toml", 'state = "planned"', ""), "needs one of checks", id="loose clause"),
    pytest.param(
        ("clauses.toml", '["embeddings.create"]', '["embedings.create"]'), "names no operation", id="unknown operation"
    ),
    pytest.param(
        ("clauses.toml", 'pointer = "/input"', 'pointer = "/inptu"'), "names no place in the request", id="pointer"
    ),
    pytest.param(
        ("clauses.toml", "\n[[refusal]]", '\n[clause.rule]\nnamed = "best-of-at-lest-n"\n\n[[refusal]]'),
        "no rule is called best-of-at-lest-n; did you mean best-of-at-least-n?",
        id="unknown rule",
    ),
    pytest.param(
        (
            "errata.toml",
            'where = "/components/schemas/request/properties/user"',
            'where = "/components/schemas/nobody"',
        ),
        "names no place",
        id="where",
    ),
    pytest.param(("version.toml", 'label = "tiny"', 'label = "tine"'), "the folder is called tiny", id="label"),
    pytest.param(("version.toml", "complete = true", "complete = false"), "says what is missing", id="gaps"),
]


@pytest.mark.parametrize(("edit", "told"), LINTED)
def test_lint_finds(edit: tuple[str, str, str], told: str, versions_folder: Maker) -> None:
    assert any(told in problem.message for problem in lint(("tiny",), versions_folder(edit)))


def test_lint_is_content_with_a_right_folder(versions_folder: Maker) -> None:
    ours = [problem for problem in lint(("tiny",), versions_folder()) if "rests on a clause" not in problem.message]
    assert ours == []


def test_stale_overlay_names_its_line(versions_folder: Maker) -> None:
    versions_folder()
    overlay = OVERLAY + "  - target: $.components.schemas.nobody\n    remove: true\n"
    folder = versions_folder(name="next", files={"version.toml": OVERLAY_VERSION, "overlay.yaml": overlay})
    with pytest.raises(SpecError, match=r"overlay\.yaml:6: actions\[1\]: .*matches nothing"):
        load("next", folder)


def test_a_version_that_extends_may_have_a_document_of_its_own(versions_folder: Maker) -> None:
    """Then errata and clauses are inherited, and the other document is not."""
    versions_folder()
    field = "        user: {type: string, maxLength: 64}\n"
    own = OPENAPI.replace(field, f"{field}        n: {{type: integer}}\n")
    folder = versions_folder(name="next", files={"version.toml": OVERLAY_VERSION, "openapi.yaml": own})
    spec, base = load("next", folder), load("tiny", folder)
    assert own != OPENAPI
    assert {"n"} == set(request_fields(spec.faithful)) - set(request_fields(base.faithful))
    assert ["tiny-user"] == [erratum.id for erratum in spec.errata]
    assert {"tiny-order"} <= set(spec.clause_by_id)
    assert request_fields(base.document)["user"] == request_fields(spec.document)["user"] != {"type": "string"}
    wrong = own.replace("n: {type: integer}", "n: {$ref: '#/nowhere'}")
    folder = versions_folder(name="next", files={"version.toml": OVERLAY_VERSION, "openapi.yaml": wrong})
    with pytest.raises(SpecError, match=rf"openapi\.yaml:{line_of(wrong, 'nowhere')}: .*nowhere"):
        load("next", folder.rename(Path(folder_beside(versions_folder))))


def request_fields(document: Any) -> Any:
    """The fields of the request of the tiny version."""
    return document["components"]["schemas"]["request"]["properties"]


def test_a_folder_has_one_document(versions_folder: Maker) -> None:
    versions_folder()
    files = {"version.toml": OVERLAY_VERSION, "overlay.yaml": OVERLAY, "openapi.yaml": OPENAPI}
    with pytest.raises(SpecError, match="not both"):
        load("next", versions_folder(name="next", files=files))


def test_inherited_erratum_that_no_longer_applies_must_be_dropped(versions_folder: Maker) -> None:
    versions_folder()
    overlay = OVERLAY + "  - target: $.components.schemas.request.properties.user.maxLength\n    update: 65\n"
    files = {"version.toml": OVERLAY_VERSION, "overlay.yaml": overlay}
    with pytest.raises(SpecError, match=r"inherited erratum tiny-user.*drop"):
        load("next", versions_folder(name="next", files=files))
    dropped = files | {"version.toml": OVERLAY_VERSION + '\n[[drop]]\nid = "tiny-user"\nreason = "said rightly now"\n'}
    spec = load("next", versions_folder(name="next", files=dropped).rename(Path(folder_beside(versions_folder))))
    assert [erratum.id for erratum in spec.errata] == []


def folder_beside(make: Maker) -> str:
    """Another name for the folder of versions, so that nothing that was kept of it is used again."""
    return str(make().with_name("again"))


def test_dropped_ids_exist(versions_folder: Maker) -> None:
    versions_folder()
    text = OVERLAY_VERSION + '\n[[drop]]\nid = "tiny-usr"\nreason = "gone"\n'
    folder = versions_folder(name="next", files={"version.toml": text, "overlay.yaml": OVERLAY})
    assert any("did you mean tiny-user" in problem.message for problem in lint(("next",), folder))


def test_versions_that_extend_each_other_are_refused(versions_folder: Maker) -> None:
    circle = VERSION.replace('label = "tiny"', 'label = "tiny"\nextends = "next"')
    versions_folder(files=FILES | {"version.toml": circle})
    folder = versions_folder(name="next", files={"version.toml": OVERLAY_VERSION, "overlay.yaml": OVERLAY})
    with pytest.raises(SpecError, match="tiny extends next extends tiny"):
        load("tiny", folder)


def test_a_version_of_the_suite_builds_on_those_of_the_suite(versions_folder: Maker) -> None:
    """Also where the folder of the user has another version of that name, such as an imported one."""
    shipped = load("2024-12-01-preview")
    named = VERSION.replace('label = "tiny"', f'label = "{shipped.extends}"')
    folder = versions_folder(name=shipped.extends, files=FILES | {"version.toml": named})
    assert load(shipped.extends).document != load(shipped.extends, folder).document
    assert shipped.document == load(shipped.version, folder).document
    assert () == lint((shipped.extends,), folder)


def test_aliases_that_multiply_are_refused(versions_folder: Maker) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
    )
    with pytest.raises(SpecError, match="beyond reason"):
        load("tiny", versions_folder(files=FILES | {"openapi.yaml": bomb}))
