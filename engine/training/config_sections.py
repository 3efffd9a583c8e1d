"""The three sections of a config: the data, the network, and how it is optimized.

Each adjustable field carries a `Setting`: what a learner calls it, what it can be, and what
changing it does to a running network. Every value is checked when a section is built.
"""

from typing import Annotated

from engine.data import DATASETS, Missing, Reading, Task
from engine.data.preprocessing import PREPROCESSING
from engine.data.target_scaling import TARGET_SCALING
from engine.nn.activations import ACTIVATIONS
from engine.nn.initializers import INITIALIZERS
from engine.nn.losses import LOSSES
from engine.nn.normalization import NORMALIZATIONS
from engine.registry import Choice, Range
from engine.training.layer_specs import CONVOLUTIONS, UNITS, Convolution
from engine.training.optimizers import OPTIMIZERS
from engine.training.schedules import SCHEDULES
from engine.training.setting import Checked, Effect, Group, Rebuilds, Setting

MAX_LAYERS = 64
MAX_UNITS = 10_000


class DataConfig(Checked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data set, and how it is split and preprocessed."""

    dataset: Annotated[
        Choice,
        Setting("Data set", "The examples to learn from.", Effect.NEW_RUN, DATASETS, Group.DATA),
    ] = Choice("digits")
    preprocessing: Annotated[
        Choice,
        Setting(
            "Preprocessing",
            "How inputs are transformed before training.",
            Effect.NEW_RUN,
            PREPROCESSING,
            Group.DATA,
            usual="Mean 0 and a size of about 1; from images only the mean is subtracted.",
            lesson="centre-normalize-whiten",
        ),
    ] = Choice("centre")
    target_scaling: Annotated[
        Choice,
        Setting(
            "Target scaling",
            "How values to predict are transformed before training; not for classes.",
            Effect.NEW_RUN,
            TARGET_SCALING,
            Group.DATA,
            everyday=False,
            usual="Values to predict of a size of about 1: standardize others.",
        ),
    ] = Choice("none")  # as in runs that were saved before this setting existed
    held_out: Annotated[
        float,
        Setting(
            "Held out",
            "Share of the examples that are held out as the validation set.",
            Effect.NEW_RUN,
            Range(0.05, 0.9),
            Group.DATA,
            everyday=False,
            usual="A fifth: fewer leave the validation curves to chance.",
            lesson="the-gap-is-overfitting",
        ),
    ] = 0.2
    examples: int | None = None  # train on only the first so many; None: on all
    classes: tuple[str, ...] = ()  # names of the only classes to learn; empty: all
    seed: int | None = None  # for drawing and splitting the data; None: the run's seed
    target: str | None = None  # the column of a table to predict; None: detected
    task: Task | None = None  # whether it holds classes or values; None: detected
    missing: Missing | None = None  # how missing values are filled; None: they are refused

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
        """How a table is read: its target, its task, and its missing values."""
        return Reading(self.target, self.task, self.missing)


class ModelConfig(Checked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network."""

    convolutions: Annotated[
        tuple[Convolution, ...],
        Setting(
            "Convolutions",
            "Filters of each layer and their size; for images only; empty: none.",
            Effect.NEW_RUN,
            CONVOLUTIONS,
            Group.NETWORK,
            everyday=False,
            usual="Small filters, such as six of 5x5, for images alone.",
            lesson="convolution",
        ),
    ] = ()
    hidden: Annotated[
        tuple[int, ...],
        Setting(
            "Hidden layers",
            "Units of each hidden layer, from first to last; empty: none.",
            Effect.NEW_RUN,
            UNITS,
            Group.NETWORK,
            usual="Larger, as long as training and validation are equally poor.",
            lesson="no-gap-more-capacity",
        ),
    ] = (64, 64)
    activation: Annotated[
        Choice,
        Setting(
            "Activation",
            "The nonlinearity of each unit. A change to or from PReLU or Maxout is a new run.",
            Effect.LIVE,
            ACTIVATIONS,
            Group.NETWORK,
            rebuilds=Rebuilds.NETWORK,
            usual="ReLU and a careful learning rate; leaky ReLU, Maxout, ELU; no sigmoid.",
            lesson="relu-learns-faster",
        ),
    ] = Choice("ReLU")
    initializer: Annotated[
        Choice,
        Setting(
            "Initializer",
            "How weights are drawn.",
            Effect.REDRAW,
            INITIALIZERS,
            Group.NETWORK,
            usual="He for ReLU, Xavier for tanh: the signal then keeps its size.",
            lesson="he-and-relu",
        ),
    ] = Choice("He")
    normalization: Annotated[
        Choice,
        Setting(
            "Normalization",
            "How the sums are normalized before the activation.",
            Effect.NEW_RUN,
            NORMALIZATIONS,
            Group.NETWORK,
            everyday=False,
            usual="Batch norm if a deep network does not start to learn; not for tiny batches.",
            lesson="batch-norm-rescues",
        ),
    ] = Choice("none")
    dropout: Annotated[
        float,
        Setting(
            "Dropout",
            "Share of the hidden units that each step sets to 0 at random.",
            Effect.LIVE,
            Range(0.0, 0.9),
            Group.REGULARIZATION,
            rebuilds=Rebuilds.NETWORK,
            usual="0, unless training accuracy runs ahead of validation.",
            lesson="dropout",
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


class OptimizationConfig(Checked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the weights are updated."""

    learning_rate: Annotated[
        float,
        Setting(
            "Learning rate",
            "How far each step goes against the gradient.",
            Effect.LIVE,
            Range(1e-6, 1e6, "log"),
            Group.TRAINING,
            usual="A rate that makes an update about a thousandth of its weight.",
            lesson="a-good-rate",
        ),
    ] = 0.01
    optimizer: Annotated[
        Choice,
        Setting(
            "Optimizer",
            "The rule that turns gradients into steps.",
            Effect.LIVE,
            OPTIMIZERS,
            Group.TRAINING,
            rebuilds=Rebuilds.OPTIMIZER,
            usual="All others learn sooner than plain SGD; each has its own good rate.",
            lesson="update-rules",
        ),
    ] = Choice("momentum")
    schedule: Annotated[
        Choice,
        Setting(
            "Schedule",
            "How the learning rate changes, counted from the step at which it is chosen.",
            Effect.LIVE,
            SCHEDULES,
            Group.TRAINING,
            everyday=False,
            usual="Constant while you look for a good rate; then one that lowers it.",
            lesson="schedules",
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
            usual="0, unless a good rate is too high for the first steps.",
            lesson="schedules",
        ),
    ] = 0
    batch_size: Annotated[
        int,
        Setting(
            "Batch size",
            "Examples in the mini-batch of each step.",
            Effect.LIVE,
            Range(1, 1024, "log", whole=True),
            Group.TRAINING,
            rebuilds=Rebuilds.NETWORK,
            usual="Tens to a few hundred: more cost more than the smoother steps are worth.",
            lesson="small-batches",
        ),
    ] = 32
    loss: Annotated[
        Choice,
        Setting(
            "Loss",
            "What training minimizes.",
            Effect.LIVE,
            LOSSES,
            Group.TRAINING,
            everyday=False,
            rebuilds=Rebuilds.LOSS,
            usual="Softmax cross-entropy for classes: it begins at ln C, 2.303 for ten.",
            lesson="first-loss",
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
            usual="So small that the first loss hardly rises; more against overfitting.",
            lesson="the-gap-is-overfitting",
        ),
    ] = 1e-4
    l1: Annotated[
        float,
        Setting(
            "L1 strength",
            "Pulls every weight towards zero with the same force, whatever its size.",
            Effect.LIVE,
            Range(1e-6, 1e5, "log", zero=True),
            Group.REGULARIZATION,
            everyday=False,
            usual="0, or so small that the first loss hardly rises by it.",
            lesson="regularization-raises-it",
        ),
    ] = 0.0
    max_norm: Annotated[
        float,
        Setting(
            "Max norm",
            "The largest norm of the weights into one unit; 0: no limit.",
            Effect.LIVE,
            Range(0.1, 100, "log", zero=True),
            Group.REGULARIZATION,
            everyday=False,
            usual="0, or 3 to 4 beside dropout (Srivastava et al. 2014).",
        ),
    ] = 0.0
    clip: Annotated[
        float,
        Setting(
            "Clip gradient",
            "The largest norm of a step's gradient; 0: no limit.",
            Effect.LIVE,
            Range(1e-3, 1e3, "log", zero=True),
            Group.TRAINING,
            everyday=False,
            usual="0, unless single steps throw the loss up.",
            lesson="rate-too-high-nan",
        ),
    ] = 0.0
