"""A model learns by its own names where it has them, and by the project's where it has not."""

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.category_map import CategoryMap, Goal, Rule, destinations
from maskstudio.annotation.learning_names import LearningNames

CAR, TRUCK, DOG = Category(1, "car"), Category(2, "truck"), Category(3, "dog")
OF_MODEL = (CAR, TRUCK, DOG)
VEHICLE, PERSON = Category(7, "vehicle"), Category(8, "person")
MAP = CategoryMap(
    "coco",
    {
        "car": Rule(Goal.CATEGORY, 7, 0.7),
        "truck": Rule(Goal.CATEGORY, 7),
        "dog": Rule(Goal.IGNORE),
    },
)
NAMES = LearningNames((VEHICLE, PERSON), MAP, CategoryMap("coco + street"))
OF_LEARNER = (*OF_MODEL, Category(4, "person"))


def test_only_what_no_category_of_the_model_goes_to_is_new() -> None:
    assert NAMES.new(OF_MODEL) == ["person"]


def test_each_category_of_the_project_is_taught_by_one_name_of_the_learner() -> None:
    assert NAMES.taught(OF_LEARNER) == {7: "car", 8: "person"}


def test_a_category_of_the_same_name_is_taught_by_that() -> None:
    project = (Category(7, "truck"), PERSON)
    names = LearningNames(project, MAP, CategoryMap("coco + street"))
    assert names.taught(OF_LEARNER)[7] == "truck"


def test_what_was_decided_about_the_model_counts_for_what_it_learned() -> None:
    map_ = NAMES.after(OF_LEARNER)
    assert destinations(map_, OF_LEARNER, NAMES.project).tolist() == [7, 7, -1, 8]
    assert map_.category_scores == (("car", 0.7),)
    renamed = (VEHICLE, Category(8, "human being"))
    assert destinations(map_, OF_LEARNER, renamed).tolist() == [7, 7, -1, 8]


def test_what_was_decided_about_what_it_learned_stays() -> None:
    own = CategoryMap("coco + street", {"truck": Rule(Goal.IGNORE)})
    names = LearningNames(NAMES.project, MAP, own)
    assert {change.name for change in names.rules(OF_LEARNER)} == {"car", "dog", "person"}
    assert names.after(OF_LEARNER).rule("truck").goal is Goal.IGNORE


def test_what_is_found_is_called_as_the_project_calls_it() -> None:
    assert NAMES.shown(MAP, OF_MODEL) == ["vehicle", "vehicle", None]
    assert NAMES.shown(CategoryMap("other"), (DOG,)) == ["dog"]
