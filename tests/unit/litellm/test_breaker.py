from adapters.litellm.breaker import Breaker, SilentModels


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


def test_a_few_failures_stop_no_call() -> None:
    breaker, _ = a_breaker(failures=4)

    assert breaker.allows()


def test_a_server_that_is_down_is_not_asked() -> None:
    breaker, _ = a_breaker(failures=5)

    assert not breaker.allows()


def test_now_and_then_one_caller_tries() -> None:
    breaker, watch = a_breaker(failures=5)

    watch.at += 6

    assert [breaker.allows(), breaker.allows()] == [True, False]


def test_an_answer_lets_all_call_again() -> None:
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


def test_asking_whether_a_call_may_begin_takes_no_turn() -> None:
    breaker, watch = a_breaker(failures=5)
    assert not breaker.might_allow()

    watch.at += 6

    assert [breaker.might_allow(), breaker.might_allow(), breaker.allows()] == [True, True, True]
    assert not breaker.might_allow()


def silent_models(*, silences: int) -> tuple[SilentModels, Watch]:
    watch = Watch()
    silent = SilentModels(now=watch)
    for _ in range(silences):
        silent.fell_silent("slow")
    return silent, watch


def test_where_all_models_answer_none_is_silent() -> None:
    assert not SilentModels()


def test_a_few_silences_stop_no_call() -> None:
    silent, _ = silent_models(silences=4)

    assert silent
    assert silent.allow("slow")


def test_a_silent_model_is_not_asked_and_the_others_are() -> None:
    silent, _ = silent_models(silences=5)

    assert not silent.allow("slow")
    assert silent.allow("quick")


def test_silences_of_several_models_do_not_add_up() -> None:
    silent, _ = silent_models(silences=4)

    silent.fell_silent("also slow")

    assert silent.allow("slow")
    assert silent.allow("also slow")


def test_now_and_then_one_caller_tries_a_silent_model() -> None:
    silent, watch = silent_models(silences=5)

    watch.at += 6

    assert [silent.allow("slow"), silent.allow("slow")] == [True, False]


def test_a_model_that_answers_is_silent_no_more() -> None:
    silent, _ = silent_models(silences=5)
    silent.fell_silent("also slow")

    silent.answered("slow")
    silent.answered("quick")

    assert silent.allow("slow")
    assert silent
    silent.answered("also slow")
    assert not silent


def test_a_silence_of_long_ago_is_forgotten() -> None:
    silent, watch = silent_models(silences=5)
    watch.at += 14 * 60
    assert silent

    silent.fell_silent("also slow")
    watch.at += 14 * 60
    assert silent
    watch.at += 60

    assert not silent
    assert silent.allow("slow")
