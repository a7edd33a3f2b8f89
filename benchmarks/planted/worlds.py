"""Where planted differences come from."""

import math
from typing import NamedTuple

import numpy as np

from boxscore.experiments.statistics import design_effect, detectable_gain, detectable_margin, detectable_mean
from boxscore.experiments.statistics.difference import Kind
from boxscore.experiments.statistics.units import Units
from planted.shares import Draw, Floats


class World(NamedTuple):
    """Where differences come from. `changed` is the share of examples that change (0/1 scores), or None for scores with
    a normal difference of standard deviation `spread`. `icc`: how alike the differences of a cluster are; None: every
    example is its own unit, else clusters have 1 to 8 examples."""

    name: str
    changed: float | None
    icc: float | None = None
    spread: float = 0.25

    @property
    def kind(self) -> Kind:
        return "mean" if self.changed is None else "rate"

    def units(self, count: int) -> Units:
        if self.icc is None:
            return Units.of(count, None)
        sizes = np.random.default_rng(count).integers(1, 9, count)
        return Units.of(int(sizes.sum()), np.repeat(np.arange(count), sizes))

    def differences(self, rng: np.random.Generator, runs: int, units: Units, gain: float) -> Floats:
        if self.changed is None:
            return gain + self.spread * self._alike(rng, runs, units, lambda r, s: r.standard_normal(s), normal=True)
        changed = max(self.changed, abs(gain))
        win = (changed + gain) / 2.0

        def draw(r: np.random.Generator, shape: tuple[int, ...]) -> Floats:
            u = r.random(shape)
            return (u < win).astype(np.float64) - ((u >= win) & (u < changed))

        return self._alike(rng, runs, units, draw)

    def costs(self, rng: np.random.Generator, runs: int, units: Units, mean: float) -> Floats:
        """Cost differences: gamma distributed with skewness 1 around their mean, clustered like the rest."""
        return mean * self._alike(rng, runs, units, lambda r, s: r.standard_gamma(4.0, s) / 4.0)

    def _alike(self, rng: np.random.Generator, runs: int, units: Units, draw: Draw, *, normal: bool = False) -> Floats:
        shape = (runs, int(units.n))
        if self.icc is None:
            return draw(rng, shape)
        member = np.repeat(np.arange(units.count), units.sizes.astype(np.int64))
        common = draw(rng, (runs, units.count))[:, member]
        if normal:
            return math.sqrt(self.icc) * common + math.sqrt(1.0 - self.icc) * draw(rng, shape)
        # Each example takes its cluster's draw with chance √icc: any two of a cluster are alike with chance icc.
        return np.where(rng.random(shape) < math.sqrt(self.icc), common, draw(rng, shape))

    def detectable(self, units: Units, threshold: float = 0.0, noise: float = 0.0) -> float:
        """The smallest gain over `threshold` that our power functions promise to show in 80 % of runs."""
        worth = 1.0 if self.icc is None else design_effect(units.typical, self.icc)
        n, pseudo = units.n / worth, units.pseudo / worth
        if self.changed is None:
            return detectable_mean(self.spread**2, n, threshold=threshold, dof=units.dof, pseudo=pseudo, noise=noise)
        return detectable_gain(n, self.changed, threshold=threshold, dof=units.dof, pseudo=pseudo, noise=noise)

    def margin(self, units: Units) -> float:
        """The smallest margin that an equal candidate is promised to be shown to keep in 80 % of runs."""
        worth = 1.0 if self.icc is None else design_effect(units.typical, self.icc)
        if self.changed is None:
            return self.detectable(units)
        return detectable_margin(units.n / worth, self.changed, dof=units.dof, pseudo=units.pseudo / worth)


WORLDS = (
    World("0/1, 20 % change", 0.2),
    World("0/1, 20 % change, clusters, ICC 0.2", 0.2, 0.2),
    World("0/1, 20 % change, clusters, ICC 0.5", 0.2, 0.5),
    World("continuous", None),
    World("continuous, clusters, ICC 0.2", None, 0.2),
    World("continuous, clusters, ICC 0.5", None, 0.5),
)
SPARSE = (
    World("0/1, 5 % change", 0.05),
    World("0/1, 1 % change", 0.01),
    World("0/1, 5 % change, clusters, ICC 0.5", 0.05, 0.5),
    World("0/1, all change", 1.0),
)
