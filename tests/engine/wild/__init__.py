"""Losses that hang, die, leak and disturb, and what is to be said of each."""

SOUND = (
    "square",
    "absolute",
    "smooth",
    "quantile",
    "from_logits",
    "bare_logarithm",
    "root",
    "rounded",
)
HANGS = {
    f"hanging.py:{name}": "LC902"
    for name in (
        "in_python",
        "in_native_code",
        "holding_the_interpreter",
        "in_a_graph",
        "deadlock",
        "two_threads_in_deadlock",
        "deaf",
        "stopped",
    )
} | {"hanging_at_import.py": "LC902"}
ENDS = {
    f"ending.py:{name}": "LC903"
    for name in (
        "aborts",
        "reads_nowhere",
        "reads_nowhere_as_it_runs",
        "reads_nowhere_in_a_thread",
        "is_killed",
        "is_told_to_end",
        "exits",
        "exits_with_words",
        "exits_at_once",
        "exits_as_if_all_were_well",
        "quits",
        "raises_what_nothing_handles",
        "interrupts",
        "ends_a_generator",
        "takes_all_memory",
        "constant_of_two_gigabytes",
        "recursion_without_a_limit",
    )
}
ENDS |= {
    "leaking.py:closes_all": "LC903",
    "unkind.py:kills_its_parent": "LC903",
    "crashing_at_import.py": "LC903",
    "odd_at_import.py": "LC903",
}
FINDS = {
    "ending.py:recursion_without_an_end": "LC901",
    "returning.py:unprintable": "LC901",
    "returning.py:unhashable": "LC404",
    "returning.py:raises_the_unprintable": "LC901",
    "returning.py:asks": "LC901",
}
LEAVES = (
    *(
        f"leaking.py:{name}"
        for name in (
            "threads",
            "forks",
            "forks_that_fork",
            "daemon",
            "comes_back_twice",
            "command",
            "files",
            "at_exit",
            "patches_tensorflow",
            "patches_keras",
            "patches_numpy",
            "patches_python",
            "elsewhere",
            "in_another_language",
            "seeds",
            "sets_the_policy",
            "empties_the_environment",
            "handles_signals",
            "prints_a_report",
            "prints_without_an_end",
            "closes_stdout",
            "stops_collecting",
        )
    ),
    "returning.py:generator",
    "returning.py:coroutine",
    "returning.py:asynchronous",
    "deleting.py:deletes_itself",
)
REFUSED = ("failing_at_import.py", "leaving_at_import.py")
