from runnel.shared.training.history import History


def test_the_lowest_value_is_the_best_and_the_first_of_equals_stays() -> None:
    history = History()
    for value in (2.0, 1.0, 1.0, 3.0):
        history = history.with_epoch({"val_loss": value}, value, finished=value == 3.0)
    assert [logs["val_loss"] for logs in history.epochs] == [2.0, 1.0, 1.0, 3.0]
    assert (history.best_epoch, history.best_value, history.finished) == (1, 1.0, True)
