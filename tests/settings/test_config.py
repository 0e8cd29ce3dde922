"""The settings: each source checks what it holds, later sources override, and nothing wrong gets through unnamed."""

import contextlib
import dataclasses
import math
import tomllib
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.commands import config as command
from improviser.core.live.parameters.table import MODES, Parameters
from improviser.core.music.scales import pitches_of
from improviser.errors import ConfigError, OutputError
from improviser.settings.checking import check, check_text, validate
from improviser.settings.config import load
from improviser.settings.explained import EXAMPLES
from improviser.settings.schema import KEYS, LIVE_KEYS, Settings
from improviser.settings.toml import MAX_FILE_BYTES

GOOD: dict[str, st.SearchStrategy[Any]] = {
    "input": st.lists(st.text(min_size=1), min_size=1, max_size=8).map(tuple),
    "output": st.lists(st.text(min_size=1), min_size=1, max_size=8).map(tuple),
    "api": st.sampled_from(["auto", "jack", "alsa", "coremidi", "winmm"]),
    "name": st.text("abcXYZ 0123456789_-é", min_size=1, max_size=40),
    "wait_for_ports": st.booleans(),
    "model": st.lists(st.text("abc-/.", min_size=1), min_size=1, max_size=8).map(tuple),
    "mode": st.sampled_from(MODES),
    "temperature": st.floats(0, 4),
    "density": st.floats(0, 1),
    "scale": st.sampled_from(["off", "C", "d", "F# dorian", "Bb minor-pentatonic", "a harmonic minor"]),
    "low": st.integers(0, 127),
    "high": st.integers(0, 127),
    "thru": st.booleans(),
    "seed": st.integers(0, 2**63 - 1),
    "record": st.booleans() | st.just("/some/folder"),
    "record_days": st.floats(0.5, 1e6),
    "record_megabytes": st.floats(0.5, 1e9),
    "display": st.booleans(),
    "web": st.sampled_from(["off", "on", "open", "8000", "[::1]:8000", "studio.local:80"]),
    "web_token_file": st.text(min_size=1),
    "web_hosts": st.lists(st.text(min_size=1), max_size=16).map(tuple),
    "mqtt": st.sampled_from(["off", "mqtt://broker", "mqtts://user@[::1]:8884"]),
    "mqtt_password_file": st.text(min_size=1),
    "mqtt_ca_file": st.text(min_size=1),
    "mqtt_cert_file": st.text(min_size=1),
    "mqtt_key_file": st.text(min_size=1),
    "mqtt_protocol": st.sampled_from(["auto", "3.1.1", "5"]),
    "mqtt_events": st.booleans(),
    "mqtt_discovery": st.booleans(),
    "mqtt_shutdown": st.booleans(),
    "listen_to": st.text("abcXYZ 0123456789_-é", min_size=1, max_size=40),
    "log_format": st.sampled_from(["text", "json"]),
    "log_level": st.sampled_from(["debug", "info", "warning", "error"]),
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50) | st.binary(max_size=9)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(), inner))


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "settings.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestSchema:
    def test_live_settings_are_the_performers_parameters(self) -> None:
        assert {*LIVE_KEYS} - {"model"} == {field.name for field in dataclasses.fields(Parameters)}

    def test_live_defaults_are_the_performers(self) -> None:
        assert Parameters(**load(environment={}).live) == Parameters()

    def test_every_default_is_allowed(self) -> None:
        for key in KEYS.values():
            if key.default is not None:
                assert check(key.name, key.default) == key.default

    @given(st.data())
    def test_what_is_allowed_passes_unchanged(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(GOOD)))
        value = data.draw(GOOD[name])
        assert check(name, value) == value

    @given(st.sampled_from(sorted(GOOD)), ANYTHING)
    def test_whatever_passes_is_of_the_right_kind(self, name: str, value: Any) -> None:
        try:
            checked = check(name, value)
        except ConfigError as error:
            refusal = str(error)
        else:
            refusal = ""
        if refusal:
            assert refusal.startswith(f"{name} must be ")
            assert len(refusal) < 250
            return
        settings = dataclasses.replace(Settings(), **{name: checked})
        assert settings.mode in MODES
        assert math.isfinite(settings.temperature)
        assert 0 <= settings.temperature <= 4
        assert 0 <= settings.density <= 1
        assert 0 <= settings.low <= 127
        assert settings.seed is None or (type(settings.seed) is int and settings.seed >= 0)
        assert type(settings.thru) is type(settings.wait_for_ports) is bool
        assert 1 <= len(settings.model) <= 8
        assert all(isinstance(model, str) and model for model in settings.model)
        assert 1 <= len(settings.name) <= 40
        assert not set("/:+#\0\n") & set(settings.name)
        pitches_of(settings.scale)


class TestText:
    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("temperature", "0.5", 0.5),
            ("temperature", "1", 1.0),
            ("density", " 1e-1 ", 0.1),
            ("thru", "on", True),
            ("thru", "False", False),
            ("record", "no", False),
            ("record", "/takes", "/takes"),
            ("display", "yes", True),
            ("seed", "7", 7),
            ("model", "bach-bass", ("bach-bass",)),
            ("model", "bach-bass, bach-melody", ("bach-bass", "bach-melody")),
            ("scale", "D minor", "D minor"),
            ("name", "1", "1"),
        ],
    )
    def test_means_what_it_says(self, name: str, text: str, value: object) -> None:
        checked = check_text(name, text)
        assert checked == value
        assert type(checked) is type(value)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("temperature", "nan"),
            ("temperature", "inf"),
            ("temperature", "-0.1"),
            ("temperature", "4.01"),
            ("temperature", "hot"),
            ("temperature", ""),
            ("density", "9" * 5_000),
            ("seed", "9" * 5_000),
            ("seed", "1.5"),
            ("seed", "-1"),
            ("low", "128"),
            ("thru", "maybe"),
            ("mode", "Shadow"),
            ("scale", "H moll"),
            ("model", ""),
            ("model", "a,,b"),
            ("model", ",".join("abcdefghi")),
            ("name", "a/b"),
            ("name", ""),
            ("name", "x" * 41),
            ("api", "pulse"),
        ],
    )
    def test_that_cannot_be_is_refused_by_name(self, name: str, text: str) -> None:
        with pytest.raises(ConfigError, match=rf"^HERE: {name} must be "):
            check_text(name, text, "HERE")

    @given(st.sampled_from(sorted(GOOD)), st.text())
    def test_any_text_is_taken_or_refused(self, name: str, text: str) -> None:
        try:
            checked = check_text(name, text)
        except ConfigError:
            return
        assert check(name, checked) == checked


class TestLiveChanges:
    def test_take_values_and_text(self) -> None:
        assert validate("temperature", 1) == validate("temperature", "1") == 1.0
        assert validate("model", "bach-bass") == validate("model", ["bach-bass"]) == ("bach-bass",)
        assert validate("thru", "off") is validate("thru", False) is False

    def test_are_of_live_parameters_only(self) -> None:
        with pytest.raises(ConfigError, match="input cannot change while one plays; what can: model, mode"):
            validate("input", "auto")
        with pytest.raises(ConfigError, match="did you mean density"):
            validate("densty", 1)
        with pytest.raises(ConfigError, match="there are: model"):
            validate("\0" * 10_000, 1)


class TestSources:
    def test_override_each_other(self, tmp_path: Path) -> None:
        path = written(tmp_path, "temperature = 0.1\ndensity = 0.1\nmodel = ['a', 'b']\nthru = true\n")
        environment = {"IMPROVISER_DENSITY": "0.2", "IMPROVISER_SCALE": "D minor", "IMPROVISER_TEMPERATURE": ""}
        config = load({"scale": "off", "seed": None, "mode": "mute"}, path, environment)
        assert config.settings == Settings(
            temperature=0.1, density=0.2, model=("a", "b"), thru=True, scale="off", mode="mute"
        )
        assert config.origins["temperature"] == config.origins["model"] == str(path)
        assert config.origins["density"] == "IMPROVISER_DENSITY"
        assert config.origins["scale"] == "--scale"
        assert config.origins["seed"] == "default"

    def test_ports_may_be_one_or_a_list_wherever_they_come_from(self, tmp_path: Path) -> None:
        path = written(tmp_path, 'output = ["piano", "organ"]')
        assert load(None, path, {}).settings.output == ("piano", "organ")
        assert load(None, written(tmp_path, 'output = "a, b"'), {}).settings.output == ("a, b",)
        for text, ports in {
            "a": ("a",),
            "a, b": ("a", "b"),
            '["a, b", "c"]': ("a, b", "c"),
            "[hw:1]": ("[hw:1]",),
        }.items():
            assert load(None, path, {"IMPROVISER_OUTPUT": text}).settings.output == ports
        assert load({"output": ["a", "b"]}, path, {"IMPROVISER_OUTPUT": "c"}).settings.output == ("a", "b")
        for wrong in ("a," * 9, ","):
            with pytest.raises(ConfigError, match="IMPROVISER_OUTPUT: output must be"):
                load(None, path, {"IMPROVISER_OUTPUT": wrong})

    def test_the_file_may_be_named_by_the_environment(self, tmp_path: Path) -> None:
        path = written(tmp_path, "low = 40\n")
        assert load(environment={"IMPROVISER_CONFIG": str(path)}).settings.low == 40

    def test_the_users_own_file_is_read_if_it_is_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path)
        assert load(environment={}).file is None
        (tmp_path / "config.toml").write_text("high = 72")
        assert load(environment={}).settings.high == 72

    @pytest.mark.parametrize("missing", ["nothing.toml", "folder", "\0"])
    def test_a_file_that_was_asked_for_must_be_there(self, tmp_path: Path, missing: str) -> None:
        (tmp_path / "folder").mkdir()
        with pytest.raises(ConfigError, match=r"^there is no file"):
            load(file=tmp_path / missing)

    def test_other_programs_variables_are_left_alone(self) -> None:
        assert load(environment={"IMPROVISER_STAGE_LIGHTS": "on", "IMPROVISER_MODELS": "/m"}).settings == Settings()

    def test_a_slip_in_a_variable_is_told(self) -> None:
        with pytest.raises(ConfigError, match=r"IMPROVISER_TEMPRATURE: .* did you mean IMPROVISER_TEMPERATURE"):
            load(environment={"IMPROVISER_TEMPRATURE": "1"})

    def test_low_may_not_be_above_high(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"settings\.toml: low must not be above high; they are 80 and 70"):
            load({"high": 70}, written(tmp_path, "low = 80"), {})


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("temprature = 1", "there is no setting 'temprature'; did you mean temperature?"),
            ("zzz = 1", "there are: input, output, api"),
            ("temperature = 'hot'", "temperature must be a number 0–4.*; it is 'hot'"),
            ("temperature = '0.5'", "temperature must be a number"),
            ("temperature = nan", "it is nan"),
            ("temperature = true", "it is True"),
            ("density = 1.01", "density must be a number 0–1; it is 1.01"),
            ("seed = 99999999999999999999", "seed must be a whole number"),
            ("model = []", "model must be"),
            ("model = [1]", "model must be"),
            ("mode = 'dance'", "mode must be .*; it is 'dance'"),
            ("[mode]\nx = 1", "mode must be .*; it is {'x': 1}"),
            ("[play]\ntemperature = 1", "there is no setting 'play'"),
            ("thru = 1979-05-27", "thru must be true or false"),
            ("\n\ntemperature = ", "is not TOML: .*line 3"),
            ("thru = true\nthru = true", "is not TOML: .*line 2"),
            (b"low = 1\nname = '\xff'", "is not UTF-8 text at line 2"),
            (b"\x00\x01\x02", "is not TOML"),
            ("x = " + "[" * 100_000, "nested too deeply"),
            ("seed = " + "9" * 10_000, "too long a number"),
            (b"#" * (MAX_FILE_BYTES + 1), "is larger than any settings"),
        ],
    )
    def test_are_refused_with_the_place(self, tmp_path: Path, text: str | bytes, says: str) -> None:
        path = written(tmp_path, text)
        with pytest.raises(ConfigError, match=says) as caught:
            load(file=path, environment={})
        assert str(path) in str(caught.value)

    def test_empty_or_marked_files_are_no_error(self, tmp_path: Path) -> None:
        assert load(file=written(tmp_path, ""), environment={}).settings == Settings()
        assert load(file=written(tmp_path, b"\xef\xbb\xbflow = 3\r\n"), environment={}).settings.low == 3

    @given(data=st.binary(max_size=200) | st.text().map(str.encode))
    def test_any_bytes_are_read_or_refused(self, tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
        path = written(tmp_path_factory.getbasetemp(), data)
        with contextlib.suppress(ConfigError):
            load(file=path, environment={})


class TestCommand:
    def test_the_file_it_writes_sets_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "new.toml"
        command.init(path)
        assert capsys.readouterr().out == f"{path}\n"
        assert tomllib.loads(path.read_text("utf-8")) == {}
        assert load(file=path, environment={}).settings == Settings()

    def test_every_setting_in_it_is_right_as_it_stands(self, tmp_path: Path) -> None:
        path = tmp_path / "new.toml"
        command.init(path)
        lines = path.read_text("utf-8").splitlines()
        path.write_text("\n".join(line.removeprefix("# ") for line in lines if " = " in line), "utf-8")
        assert set(tomllib.loads(path.read_text("utf-8"))) == set(KEYS)
        settings = load(file=path, environment={}).settings
        assert settings == dataclasses.replace(Settings(), **EXAMPLES)

    def test_it_never_overwrites_unless_told(self, tmp_path: Path) -> None:
        path = written(tmp_path, "low = 1")
        with pytest.raises(OutputError, match=r"exists already; .* --force"):
            command.init(path)
        assert path.read_text() == "low = 1"
        command.init(path, force=True)
        assert "# low = 0" in path.read_text("utf-8")

    def test_it_writes_to_the_users_own_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "new" / "folder")
        command.init()
        assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["config.toml"]

    @pytest.mark.parametrize("bad", ["no/folder/x.toml", "."])
    def test_a_place_that_cannot_be_is_told(self, tmp_path: Path, bad: str) -> None:
        with pytest.raises(OutputError, match="folder"):
            command.init(tmp_path / bad, force=True)

    def test_check_prints_what_holds_and_why(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = written(tmp_path, "model = ['a', 'b']\nname = 'Flügel \"1\"'")
        monkeypatch.setenv("IMPROVISER_DENSITY", "0.5")
        command.check(path)
        out = capsys.readouterr().out
        said = {line.split(" =")[0]: line for line in out.splitlines()}
        assert said["model"].endswith(f"  # {path}")
        assert said["density"].endswith("  # IMPROVISER_DENSITY")
        assert said["thru"].endswith("  # default")
        assert tomllib.loads(out)["model"] == ["a", "b"]
        assert tomllib.loads(out)["name"] == 'Flügel "1"'


class TestProfiles:
    TEXT = "temperature = 1.0\nlow = 40\n[profile.piano]\ntemperature = 0.5\n[profile.organ]\nhigh = 60\n"

    def test_a_profile_overrides_the_file_and_the_environment_overrides_it(self, tmp_path: Path) -> None:
        path = written(tmp_path, self.TEXT)
        assert load(file=path, environment={}).settings.temperature == 1.0
        chosen = load(file=path, environment={}, profile="piano")
        assert (chosen.settings.temperature, chosen.settings.low) == (0.5, 40)
        assert chosen.origins["temperature"] == f"{path}, profile piano"
        assert load(file=path, environment={"IMPROVISER_PROFILE": "organ"}).settings.high == 60
        over = {"IMPROVISER_PROFILE": "piano", "IMPROVISER_TEMPERATURE": "2"}
        assert load(file=path, environment=over).settings.temperature == 2.0

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (TEXT, "no profile 'pano'; did you mean piano"),
            ("low = 1", "no profile 'pano'; there are none"),
            ("profile = 3", r"a profile is a table, such as \[profile.piano\]"),
            ("[profile]\npano = 3", "a profile is a table"),
            ("[profile.other]\ntemprature = 3\n[profile.pano]\n", "profile other: there is no setting 'temprature'"),
            ("[profile.pano]\nlow = 99\nhigh = 3\n", "low must not be above high"),
        ],
    )
    def test_what_is_wrong_with_one_is_said(self, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(ConfigError, match=said):
            load(file=written(tmp_path, text), environment={}, profile="pano")

    def test_a_profile_takes_a_file(self) -> None:
        with pytest.raises(ConfigError, match="no file of settings: there is no profile"):
            load(environment={}, profile="piano")


@pytest.mark.parametrize(
    ("flags", "models"),
    [
        ({}, ("bach-bass",)),
        ({"mode": "mute"}, ("bach-bass",)),
        ({"mode": "answer"}, ("auto",)),
        ({"mode": "solo"}, ("auto",)),
        ({"mode": "solo", "model": ("bach-bass",)}, ("bach-bass",)),
    ],
)
def test_who_replies_sings_by_default(flags: dict[str, Any], models: tuple[str, ...]) -> None:
    assert load(flags, environment={}).settings.model == models
