"""Starts MiniStack, the local AWS behind `make run` and `make test`, with the repairs this project needs.

The Go program in localstack/ runs it, with a clean environment (localstack/cloud/ministack.go); by hand it is:

    env -i PATH="$PATH" HOME="$HOME" GATEWAY_PORT=4566 BIND_HOST=127.0.0.1 MINISTACK_HOST=127.0.0.1 \\
        AWS_ENDPOINT_URL=http://127.0.0.1:4566 IOT_MTLS_ENABLED=0 LAMBDA_EXECUTOR=local python launch.py

With LAUNCH_UNTIL_EOF=1 it ends when its standard input does, so it never outlives the program that started it.

Each repair reaches into MiniStack by name. The version is pinned and every name is looked up before the server starts:
a name that moved is an error that says so, never a silent return of the slow or wrong behaviour.
"""

import copy
import importlib
import importlib.metadata
import os
import signal
import sys
import threading

VERSION = "1.5.33"
REPAIRED = (
    ("ministack.app", "main"),
    ("ministack.app", "save_all"),
    ("ministack.core.lambda_runtime", "ProvidedWorker._build_handler_class"),
    ("ministack.core.lambda_runtime", "ProvidedWorker._drain_stderr_bounded"),
    ("ministack.core.lambda_runtime", "_workers"),
    ("ministack.core.iam_actions", "extract_iam_action"),
    ("ministack.services.dynamodb", "get_state"),
    ("ministack.services.dynamodb", "_restore_state"),
    ("ministack.services.dynamodb", "_stream_records"),
    ("ministack.services.dynamodb", "_stream_trimmed"),
    ("ministack.services.lambda_svc", "_functions"),
    ("ministack.services.lambda_svc", "_poll_sqs"),
    ("ministack.services.lambda_svc", "_poll_kinesis"),
    ("ministack.services.lambda_svc", "_poll_dynamodb_streams"),
    ("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    ("hypercorn.config", "Config.graceful_timeout"),
)


def check_names():
    """Refuses any MiniStack but the pinned one, and one that lacks a name that a repair replaces."""
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(
            f"launch.py repairs MiniStack {VERSION}, but {found} is installed. Install the pinned one "
            "(localstack/ministack/requirements.txt), or check each repair against the new one and raise VERSION."
        )
    missing = []
    for module, path in REPAIRED:
        try:
            found = importlib.import_module(module)
            for name in path.split("."):
                found = getattr(found, name)
        except (ImportError, AttributeError):
            missing.append(f"{module}.{path}")
    if missing:
        sys.exit(f"MiniStack {VERSION} no longer has {', '.join(missing)}: look for its new home, then change launch.py.")


def answer_functions_at_once():
    """A warm call takes 3 ms instead of 50 to 96.

    The Runtime API writes headers and body apart, which Nagle's algorithm holds back for 40 ms; then each call waits
    50 ms for a log line that may never come. The price: a line that is later than 2 ms joins the next call's log.
    """
    from ministack.core.lambda_runtime import ProvidedWorker

    build_handler, drain = ProvidedWorker._build_handler_class, ProvidedWorker._drain_stderr_bounded

    def without_nagle(self, generation, pending):
        handler = build_handler(self, generation, pending)
        handler.disable_nagle_algorithm = True
        handler.wbufsize = -1
        return handler

    def short_drain(self, first_line_wait=0.002, idle_confirm=0.001, hard_cap=0.25):
        return drain(self, first_line_wait, idle_confirm, hard_cap)

    ProvidedWorker._build_handler_class = without_nagle
    ProvidedWorker._drain_stderr_bounded = short_drain


def honour_reserved_concurrency():
    """A template's ReservedConcurrentExecutions limits the function, as on AWS; MiniStack forgets it."""
    from ministack.services import lambda_svc
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

    function = _RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = function["create"], function["update"]

    def reserve(name, properties):
        wanted = properties.get("ReservedConcurrentExecutions")
        if name in lambda_svc._functions:
            lambda_svc._functions[name]["concurrency"] = None if wanted is None else int(wanted)

    def create_reserved(logical_id, properties, stack):
        created = create(logical_id, properties, stack)
        reserve(created[0], properties)
        return created

    def update_reserved(physical_id, before, properties, stack, logical_id=None):
        updated = update(physical_id, before, properties, stack, logical_id)
        reserve(updated[0], properties)
        return updated

    function["create"], function["update"] = create_reserved, update_reserved


def judge_batches_as_their_single_calls():
    """With AUTH=true, sqs:SendMessage allows SendMessageBatch, as on AWS; MiniStack asks for an action that IAM has not."""
    from ministack.core import iam_actions

    extract = iam_actions.extract_iam_action

    def single(service, *request):
        action = extract(service, *request)
        if action and action.startswith("sqs:"):
            return action.removesuffix("Batch")
        return action

    iam_actions.extract_iam_action = single


def keep_stream_records():
    """Stream records that were not delivered are delivered after a clean restart, as they would be on AWS.

    As shipped, MiniStack saves how far each mapping has read but not the records, so that after a restart every mapping
    skips as many new records as it had read before. With BACKROOM_FORGET_STREAMS=1 the records are dropped at the start
    instead, and only they: what AWS does to records that nobody read for 24 hours.
    """
    from ministack.services import dynamodb

    get_state, restore_state = dynamodb.get_state, dynamodb._restore_state

    def get_state_with_records():
        state = get_state()
        state["stream_records"] = copy.deepcopy(dynamodb._stream_records)
        state["stream_trimmed"] = copy.deepcopy(dynamodb._stream_trimmed)
        return state

    def restore_state_with_records(state):
        restore_state(state)
        if not state:
            return
        dynamodb._stream_records.update(state.get("stream_records", {}))
        dynamodb._stream_trimmed.update(state.get("stream_trimmed", {}))
        if os.environ.get("BACKROOM_FORGET_STREAMS") == "1":
            for key, records in dynamodb._stream_records._data.items():
                dynamodb._stream_trimmed._data[key] = dynamodb._stream_trimmed._data.get(key, 0) + len(records)
                records.clear()

    dynamodb.get_state, dynamodb._restore_state = get_state_with_records, restore_state_with_records


def stop_quickly_and_whole():
    """A clean stop takes half a second, and saves a state that could be a moment's: nothing moves while it is written.

    As shipped, MiniStack waits 3 s for idle connections and goes on polling queues and running functions while it saves
    one service after the other, so that a message can be saved as taken and its effect as absent. Here the pollers stop
    and the functions end first; what they held comes back when its visibility timeout is over.
    """
    import hypercorn.config
    from ministack import app
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    save = app.save_all

    def save_at_rest(services):
        for poll in ("_poll_sqs", "_poll_kinesis", "_poll_dynamodb_streams"):
            setattr(lambda_svc, poll, lambda: False)
        functions = [worker._proc for warm in list(lambda_runtime._workers.values()) for worker in warm]
        functions = [process for process in functions if process is not None]
        for process in functions:
            process.kill()
        for process in functions:
            process.wait()
        save(services)

    app.save_all = save_at_rest
    hypercorn.config.Config.graceful_timeout = 0.2


def end_with_input():
    """Stops the server cleanly once standard input ends, however its parent died."""

    def watch():
        while os.read(sys.stdin.fileno(), 1):  # not sys.stdin: its lock must be free when the interpreter ends
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end-with-input", daemon=True).start()


if __name__ == "__main__":
    check_names()
    answer_functions_at_once()
    honour_reserved_concurrency()
    judge_batches_as_their_single_calls()
    keep_stream_records()
    stop_quickly_and_whole()
    if os.environ.get("LAUNCH_UNTIL_EOF") == "1":
        end_with_input()
    from ministack.app import main

    main()
