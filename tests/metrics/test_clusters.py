"""Groups of maps, from maps whose groups are known."""

from __future__ import annotations

import numpy as np
import pytest

from effnet_viz.arrays import Floats
from effnet_viz.metrics.clusters import cluster_maps, cosine, mean_cosine, shares


def spots(*places: tuple[int, int], count: int, seed: int = 0) -> Floats:
    """`count` maps (7, 7) for each place, with noise, and none of them as strong as another."""
    random = np.random.default_rng(seed)
    maps = []
    for row, column in places:
        for _ in range(count):
            map_ = random.uniform(0, 0.05, (7, 7))
            map_[row, column] += 1
            map_[max(0, row - 1), column] += 0.5
            maps.append(map_ * random.uniform(0.1, 10) - 0.02)
    return np.array(maps, np.float32)


def test_maps_of_two_places_are_two_groups() -> None:
    maps = spots((6, 6), (1, 2), count=9)
    order = np.random.default_rng(3).permutation(18)
    found = cluster_maps(maps[order])
    assert {frozenset(order[list(group)]) for group in found} == {
        frozenset(range(9)),
        frozenset(range(9, 18)),
    }


def test_the_largest_group_comes_first_and_every_map_is_in_one() -> None:
    maps = np.concatenate([spots((0, 0), count=5), spots((6, 3), count=11, seed=1)])
    found = cluster_maps(maps)
    assert [len(group) for group in found] == [11, 5]
    assert sorted(place for group in found for place in group) == list(range(16))
    assert found == cluster_maps(maps)


def test_maps_of_one_place_are_one_group_and_few_maps_are_not_divided() -> None:
    assert cluster_maps(spots((3, 3), count=20)) == (tuple(range(20)),)
    assert cluster_maps(spots((0, 0), (6, 6), count=2)) == ((0, 1, 2, 3),)
    assert cluster_maps(spots((2, 2), count=1)) == ((0,),)


def test_maps_without_evidence_stay_together() -> None:
    maps = np.concatenate([spots((0, 6), count=8), np.full((8, 7, 7), -1, np.float32)])
    found = cluster_maps(maps)
    assert {frozenset(group) for group in found} == {frozenset(range(8)), frozenset(range(8, 16))}


def test_shares_sum_to_one_or_are_nothing() -> None:
    maps = np.array([[[1, 3], [-5, 0]], [[-1, -1], [0, -2]]], np.float32)
    assert shares(maps).tolist() == [[0.25, 0.75, 0, 0], [0, 0, 0, 0]]


def test_mean_cosine_is_that_of_all_pairs() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 5))
    pairs = [cosine(rows[i], rows[j]) for i in range(6) for j in range(i)]
    assert mean_cosine(rows) == pytest.approx(np.mean(pairs))
    assert mean_cosine(np.ones((4, 3))) == pytest.approx(1)
    assert np.isnan(mean_cosine(np.ones((1, 3))))
    assert cosine(np.zeros(3), np.ones(3)) == 0
