"""What the model saw of the last images is kept, within bounds."""

from pathlib import Path

import pytest

from maskstudio.session.feature_cache import FeatureCache, FeatureKey
from support.fakes import FakeFeatures


def key(image_id, model="m", folder="project"):
    return FeatureKey(Path(folder), image_id, model)


def seen(nbytes):
    return FakeFeatures((10, 10), nbytes)


def test_what_is_put_there_is_there():
    cache, features = FeatureCache(), seen(10)
    cache.put(key(1), features)
    assert key(1) in cache
    assert cache.get(key(1)) is features


@pytest.mark.parametrize("other", [key(2), key(1, "n"), key(1, "m", "elsewhere")])
def test_another_image_model_or_project_is_another(other):
    cache = FeatureCache()
    cache.put(key(1), seen(10))
    assert other not in cache
    assert cache.get(other) is None


def test_those_not_asked_for_longest_go_first():
    cache = FeatureCache(most_bytes=30)
    for image_id in (1, 2, 3):
        cache.put(key(image_id), seen(10))
    cache.get(key(1))
    cache.put(key(4), seen(10))
    assert [i for i in (1, 2, 3, 4) if key(i) in cache] == [1, 3, 4]


def test_the_newest_stays_however_large_it_is():
    cache = FeatureCache(most_bytes=30)
    cache.put(key(1), seen(10))
    cache.put(key(2), seen(1000))
    assert [i for i in (1, 2) if key(i) in cache] == [2]


def test_what_is_put_again_counts_once():
    cache = FeatureCache(most_bytes=30)
    for _ in range(5):
        cache.put(key(1), seen(10))
    cache.put(key(2), seen(10))
    assert key(1) in cache


def test_nothing_is_left_once_all_is_forgotten():
    cache = FeatureCache()
    cache.put(key(1), seen(10))
    cache.clear()
    assert key(1) not in cache
