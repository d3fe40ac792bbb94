"""What training saw, one entry an epoch, and a picture of it.

>>> history = History()
>>> history.add(loss=2.0, accuracy=50.0)
>>> history.add(loss=1.0, accuracy=75.0)
>>> history.loss, history.epochs
([2.0, 1.0], 2)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catlearn.errors import missing_extra

__all__ = ["History"]


@dataclass
class History:
    """One entry an epoch: the mean loss over the training rows, and the accuracy in per cent of the predictions made.

    `validation_loss` and `validation_accuracy` are those on held-out rows after the epoch, where there are any;
    `watched` has the mean over the epoch's steps of everything that was watched, by name.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    watched: dict[str, list[float]] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """The number of epochs seen."""
        return len(self.loss)

    def add(self, *, watched: dict[str, float] | None = None, **values: float) -> None:
        """Append an epoch: values by the name of their list, and what was watched by its name."""
        for name, value in values.items():
            getattr(self, name).append(value)
        for name, value in (watched or {}).items():
            self.watched.setdefault(name, []).append(value)

    def plot(self, path: str | Path | None = None) -> Any:
        """A matplotlib figure of the losses and accuracies by epoch, written to the path if one is given.

        Raises `MissingExtraError` where matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise missing_extra("matplotlib", "plot", "a picture of the history") from error
        count = 2 + bool(self.watched)
        figure = Figure(figsize=(5 * count, 3.5), layout="constrained")
        axes = figure.subplots(1, count)
        panels: list[tuple[str, dict[str, list[float]]]] = [
            ("loss", {"training": self.loss, "validation": self.validation_loss}),
            ("accuracy, %", {"training": self.accuracy, "validation": self.validation_accuracy}),
            ("watched", self.watched),
        ]
        for axis, (title, lines) in zip(axes, panels, strict=False):
            for name, values in lines.items():
                if values:
                    axis.plot(range(1, len(values) + 1), values, label=name, marker="." if len(values) < 30 else None)
            axis.set_xlabel("epoch")
            axis.set_ylabel(title)
            axis.grid(alpha=0.3)
            if axis.lines:
                axis.legend()
        if path is not None:
            figure.savefig(path, dpi=120)
        return figure
