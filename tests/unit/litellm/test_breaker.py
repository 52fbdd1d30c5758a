from adapters.litellm.breaker import Breaker


class Watch:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def a_breaker(*, failures: int) -> tuple[Breaker, Watch]:
    watch = Watch()
    breaker = Breaker(now=watch)
    for _ in range(failures):
        assert breaker.allows()
        breaker.failed()
    return breaker, watch


def test_a_few_failures_stop_nobody() -> None:
    breaker, _ = a_breaker(failures=4)

    assert breaker.allows()


def test_a_server_that_is_down_is_not_asked() -> None:
    breaker, _ = a_breaker(failures=5)

    assert not breaker.allows()


def test_now_and_then_one_caller_tries() -> None:
    breaker, watch = a_breaker(failures=5)

    watch.at += 6

    assert [breaker.allows(), breaker.allows()] == [True, False]


def test_an_answer_lets_everybody_call_again() -> None:
    breaker, watch = a_breaker(failures=5)
    watch.at += 6
    breaker.allows()

    breaker.succeeded()

    assert [breaker.allows(), breaker.allows()] == [True, True]


def test_after_another_failure_it_waits_again() -> None:
    breaker, watch = a_breaker(failures=5)
    watch.at += 6
    breaker.allows()

    breaker.failed()
    watch.at += 4

    assert not breaker.allows()


def test_asking_whether_a_call_may_begin_takes_nobodys_turn() -> None:
    breaker, watch = a_breaker(failures=5)
    assert not breaker.might_allow()

    watch.at += 6

    assert [breaker.might_allow(), breaker.might_allow(), breaker.allows()] == [True, True, True]
    assert not breaker.might_allow()
