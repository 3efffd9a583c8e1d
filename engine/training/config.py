"""A run described by plain values: with its seed, a `RunConfig` determines every number of the run.

Each adjustable field carries a `Setting`: what a learner calls it, what it can be, and what
changing it does to a running network. Every value is checked when a config is built, so a config
that exists is legal. Configs are written and read as JSON by `to_json` and `from_json`.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, get_args, get_type_hints

import msgspec

from engine.data import DATASETS, Missing, Reading, Task
from engine.data.preprocessing import PREPROCESSING
from engine.data.target_scaling import TARGET_SCALING
from engine.json_reader import converted, from_json
from engine.nn.activations import ACTIVATIONS
from engine.nn.initializers import INITIALIZERS
from engine.nn.losses import LOSSES
from engine.nn.normalization import NORMALIZATIONS
from engine.registry import Choice, Range, Registry
from engine.suggestions import instead_of, quoted
from engine.training.layer_specs import CONVOLUTIONS, UNITS, Convolution, Stack
from engine.training.optimizers import OPTIMIZERS
from engine.training.schedules import SCHEDULES

type SettingValue = float | Choice | tuple[int, ...] | tuple[Convolution, ...]

MAX_LAYERS = 64
MAX_UNITS = 10_000


class Effect(StrEnum):
    """What changing a setting does to a running network."""

    LIVE = "acts at the next step"
    REDRAW = "draws new weights, keeps the curves"
    NEW_RUN = "starts a new run"


class Rebuilds(StrEnum):
    """What a change of a setting builds again within a run."""

    NOTHING = "nothing"  # its value is read at each step, or when weights are drawn
    OPTIMIZER = "the optimizer"
    LOSS = "the loss, and what judges by it"
    NETWORK = "the network over the same parameters"  # if they do not fit, it is a new run


class Group(StrEnum):
    """What a setting is about; groups in the order in which a learner meets them."""

    DATA = "Data"
    NETWORK = "Network"
    TRAINING = "Training"
    REGULARIZATION = "Regularization"


@dataclass(frozen=True)
class Setting:
    """An adjustable field of a config: its name and meaning for a learner, and what it can be."""

    label: str
    summary: str
    effect: Effect
    values: Registry[Any] | Range | Stack
    group: Group
    everyday: bool = True  # False: for the second hour; whoever lists settings may fold it away
    rebuilds: Rebuilds = Rebuilds.NOTHING  # what does not start a new run builds no more than this


@functools.cache
def _own_settings(cls: type) -> Mapping[str, Setting]:
    def find() -> Iterator[tuple[str, Setting]]:
        for name, hint in get_type_hints(cls, include_extras=True).items():
            for extra in get_args(hint):
                if isinstance(extra, Setting):
                    yield name, extra

    return dict(find())


class _Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refuses illegal values of described fields as soon as the object is built."""

    def __post_init__(self) -> None:
        for name, setting in _own_settings(type(self)).items():
            value = getattr(self, name)
            if isinstance(setting.values, Range):
                if refusal := setting.values.refusal(value):
                    raise ValueError(f"{setting.label.lower()} {refusal}")
            elif isinstance(setting.values, Stack):
                continue  # its layers check themselves, and the config how many there are
            elif isinstance(value, Choice):
                setting.values.check(value)
            else:
                raise ValueError(f"{setting.label.lower()} must be a choice, got {quoted(value)}")


class DataConfig(_Checked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is learned from."""

    dataset: Annotated[
        Choice,
        Setting("Data set", "What is learned from.", Effect.NEW_RUN, DATASETS, Group.DATA),
    ] = Choice("digits")
    preprocessing: Annotated[
        Choice,
        Setting(
            "Preprocessing",
            "What is done to the inputs first.",
            Effect.NEW_RUN,
            PREPROCESSING,
            Group.DATA,
        ),
    ] = Choice("centre")
    target_scaling: Annotated[
        Choice,
        Setting(
            "Target scaling",
            "What is done to values to predict first; classes have none.",
            Effect.NEW_RUN,
            TARGET_SCALING,
            Group.DATA,
            everyday=False,
        ),
    ] = Choice("none")  # as runs had it that were written before there was this setting
    held_out: Annotated[
        float,
        Setting(
            "Held out",
            "Share of the examples that only judge: the validation set.",
            Effect.NEW_RUN,
            Range(0.05, 0.9),
            Group.DATA,
            everyday=False,
        ),
    ] = 0.2
    examples: int | None = None  # train on the first so many alone; None: on all
    classes: tuple[str, ...] = ()  # learn these alone, by name; empty: all
    seed: int | None = None  # of the drawing and the splitting; None: the run's own
    target: str | None = None  # the column of a table that is to be predicted; None: as found
    task: Task | None = None  # whether that tells classes or values; None: as found
    missing: Missing | None = None  # what becomes of a table's gaps; None: it is refused

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.examples is not None and self.examples < 1:
            raise ValueError(f"examples must be at least 1, got {self.examples}")
        if len(self.classes) == 1 or len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes must be two or more, all different, got {self.classes}")
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")

    @property
    def reading(self) -> Reading:
        """What is chosen of a table."""
        return Reading(self.target, self.task, self.missing)


class ModelConfig(_Checked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network."""

    convolutions: Annotated[
        tuple[Convolution, ...],
        Setting(
            "Convolutions",
            "Filters of each layer and the size of their window; images only; empty: none.",
            Effect.NEW_RUN,
            CONVOLUTIONS,
            Group.NETWORK,
            everyday=False,
        ),
    ] = ()
    hidden: Annotated[
        tuple[int, ...],
        Setting(
            "Hidden layers",
            "Units of each, from first to last; empty: none.",
            Effect.NEW_RUN,
            UNITS,
            Group.NETWORK,
        ),
    ] = (64, 64)
    activation: Annotated[
        Choice,
        Setting(
            "Activation",
            "What each unit makes of its sum. To or from PReLU and Maxout is a new run.",
            Effect.LIVE,
            ACTIVATIONS,
            Group.NETWORK,
            rebuilds=Rebuilds.NETWORK,
        ),
    ] = Choice("ReLU")
    initializer: Annotated[
        Choice,
        Setting(
            "Initializer", "How the weights start.", Effect.REDRAW, INITIALIZERS, Group.NETWORK
        ),
    ] = Choice("He")
    normalization: Annotated[
        Choice,
        Setting(
            "Normalization",
            "What is done to the sums before the activation.",
            Effect.NEW_RUN,
            NORMALIZATIONS,
            Group.NETWORK,
            everyday=False,
        ),
    ] = Choice("none")
    dropout: Annotated[
        float,
        Setting(
            "Dropout",
            "Share of the hidden units that each step silences at random.",
            Effect.LIVE,
            Range(0.0, 0.9),
            Group.REGULARIZATION,
            rebuilds=Rebuilds.NETWORK,
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.hidden) > MAX_LAYERS or not all(1 <= n <= MAX_UNITS for n in self.hidden):
            raise ValueError(
                f"hidden must be at most {MAX_LAYERS} layers of 1 to {MAX_UNITS} units,"
                f" got {self.hidden}"
            )
        if len(self.convolutions) > MAX_LAYERS:
            raise ValueError(
                f"there can be at most {MAX_LAYERS} convolutions, got {len(self.convolutions)}"
            )


class OptimizationConfig(_Checked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the weights are updated."""

    learning_rate: Annotated[
        float,
        Setting(
            "Learning rate",
            "How far each step goes against the gradient.",
            Effect.LIVE,
            Range(1e-6, 1e6, "log"),
            Group.TRAINING,
        ),
    ] = 0.01
    optimizer: Annotated[
        Choice,
        Setting(
            "Optimizer",
            "The rule that makes a step.",
            Effect.LIVE,
            OPTIMIZERS,
            Group.TRAINING,
            rebuilds=Rebuilds.OPTIMIZER,
        ),
    ] = Choice("momentum")
    schedule: Annotated[
        Choice,
        Setting(
            "Schedule",
            "How the learning rate changes with time, from the step on at which it is chosen.",
            Effect.LIVE,
            SCHEDULES,
            Group.TRAINING,
            everyday=False,
        ),
    ] = Choice("constant")
    warm_up: Annotated[
        int,
        Setting(
            "Warm-up",
            "Steps over which the learning rate rises to its value.",
            Effect.LIVE,
            Range(10, 10_000, "log", zero=True, whole=True),
            Group.TRAINING,
            everyday=False,
        ),
    ] = 0
    batch_size: Annotated[
        int,
        Setting(
            "Batch size",
            "Examples that each step looks at.",
            Effect.LIVE,
            Range(1, 1024, "log", whole=True),
            Group.TRAINING,
            rebuilds=Rebuilds.NETWORK,
        ),
    ] = 32
    loss: Annotated[
        Choice,
        Setting(
            "Loss",
            "What training makes small.",
            Effect.LIVE,
            LOSSES,
            Group.TRAINING,
            everyday=False,
            rebuilds=Rebuilds.LOSS,
        ),
    ] = Choice("softmax cross-entropy")
    l2: Annotated[
        float,
        Setting(
            "L2 strength",
            "Pulls every weight towards zero.",
            Effect.LIVE,
            Range(1e-6, 1e5, "log", zero=True),
            Group.REGULARIZATION,
        ),
    ] = 1e-4
    l1: Annotated[
        float,
        Setting(
            "L1 strength",
            "Pulls every weight towards zero at one pace, until it is there.",
            Effect.LIVE,
            Range(1e-6, 1e5, "log", zero=True),
            Group.REGULARIZATION,
            everyday=False,
        ),
    ] = 0.0
    max_norm: Annotated[
        float,
        Setting(
            "Max norm",
            "The longest that the weights into one unit may be; 0: no limit.",
            Effect.LIVE,
            Range(0.1, 100, "log", zero=True),
            Group.REGULARIZATION,
            everyday=False,
        ),
    ] = 0.0
    clip: Annotated[
        float,
        Setting(
            "Clip gradient",
            "The longest that the gradient of a step may be; 0: no limit.",
            Effect.LIVE,
            Range(1e-3, 1e3, "log", zero=True),
            Group.TRAINING,
            everyday=False,
        ),
    ] = 0.0


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a network has learned before: the same run, for so many steps on other data.

    All layers that fit are taken over from it, except the last, as in fine-tuning.
    """

    data: DataConfig
    steps: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class RunConfig(_Checked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that determines a run."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    optimization: OptimizationConfig = OptimizationConfig()
    seed: int = 0
    start: Origin | None = None  # None: from weights as they are drawn

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")

    def replace(self, path: str, value: object) -> "RunConfig":
        """This config with the setting at `path`, such as "optimization.l2", at another value.

        A row of layers may be given in words, such as "64, 64".
        """
        part, name = _parts(path)
        hint = get_type_hints(type(getattr(self, part)))[name]
        stack = SETTINGS[path].values
        if isinstance(stack, Stack) and isinstance(value, str):
            value = stack.read(value)
        elif isinstance(value, float) and value.is_integer() and hint is int:
            value = int(value)  # 64.0 from a slider, or from JSON, is the whole number 64
        value = converted(value, hint, SETTINGS[path].label.lower())
        changed = msgspec.structs.replace(getattr(self, part), **{name: value})
        if path == "data.dataset":  # whose classes have other names
            changed = msgspec.structs.replace(
                changed, classes=(), target=None, task=None, missing=None
            )
        return msgspec.structs.replace(self, **{part: changed})

    def with_reading(self, reading: Reading) -> "RunConfig":
        """This config with another reading of its table."""
        chosen = {name: getattr(reading, name) for name in reading.__struct_fields__}
        return msgspec.structs.replace(self, data=msgspec.structs.replace(self.data, **chosen))

    def with_seed(self, seed: int) -> "RunConfig":
        """This config with another seed."""
        return msgspec.structs.replace(self, seed=seed)

    def value(self, path: str) -> Any:
        """The value of the setting at `path`."""
        part, name = _parts(path)
        return getattr(getattr(self, part), name)

    def to_json(self) -> str:
        """This config as JSON text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "RunConfig":
        """The config that `to_json` wrote; ValueError says what is wrong with any other text."""
        return from_json(text, cls)


def _parts(path: str) -> tuple[str, str]:
    if path not in SETTINGS:
        raise ValueError(f"unknown setting {quoted(path)}; {instead_of(path, SETTINGS)}")
    part, _, name = path.partition(".")
    return part, name


SETTINGS: Mapping[str, Setting] = {
    f"{part}.{name}": setting
    for part, cls in get_type_hints(RunConfig).items()
    if isinstance(cls, type)
    for name, setting in _own_settings(cls).items()
}


def rebuilt(before: RunConfig, after: RunConfig) -> frozenset[Rebuilds]:
    """What has to be built again for a run to go on under another config."""
    return frozenset(
        setting.rebuilds
        for path, setting in SETTINGS.items()
        if before.value(path) != after.value(path)
    )
