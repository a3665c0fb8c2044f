"""Starts MiniStack, the local AWS of `make run` and `make test`, with the repairs that this project needs.

The Go program in localstack/ runs it, with a clean environment (localstack/cloud/ministack.go). To run it by hand:

    env -i PATH="$PATH" HOME="$HOME" GATEWAY_PORT=4566 BIND_HOST=127.0.0.1 MINISTACK_HOST=127.0.0.1 \\
        AWS_ENDPOINT_URL=http://127.0.0.1:4566 IOT_MTLS_ENABLED=0 LAMBDA_EXECUTOR=local python launch.py

With LAUNCH_UNTIL_EOF=1 it ends when its standard input does, so it never outlives the program that started it.

Each repair replaces a part of MiniStack by its name. The version is pinned, and every name is looked up before the
server starts. A missing name stops the start with an error, so that no repair is lost silently.
"""

import copy
import importlib
import importlib.metadata
import logging
import os
import shutil
import signal
import sys
import threading

VERSION = "1.5.33"
REPAIRED = (
    ("ministack.app", "main"),
    ("ministack.app", "save_all"),
    ("ministack.core.persistence", "STATE_DIR"),
    ("ministack.core.persistence", "logger"),
    ("ministack.core.lambda_runtime", "ProvidedWorker._build_handler_class"),
    ("ministack.core.lambda_runtime", "ProvidedWorker._drain_stderr_bounded"),
    ("ministack.core.lambda_runtime", "_workers"),
    ("ministack.core.iam_actions", "extract_iam_action"),
    ("ministack.services.dynamodb", "get_state"),
    ("ministack.services.dynamodb", "_restore_state"),
    ("ministack.services.dynamodb", "_stream_records"),
    ("ministack.services.dynamodb", "_stream_trimmed"),
    ("ministack.services.lambda_svc", "CODE_BLOB_DIR"),
    ("ministack.services.lambda_svc", "_functions"),
    ("ministack.services.lambda_svc", "_poll_sqs"),
    ("ministack.services.lambda_svc", "_poll_kinesis"),
    ("ministack.services.lambda_svc", "_poll_dynamodb_streams"),
    ("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    ("hypercorn.config", "Config.graceful_timeout"),
)


def check_names():
    """Exits with an error if MiniStack is not the pinned version, or lacks a name that a repair replaces."""
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(
            f"launch.py repairs MiniStack {VERSION}, but {found} is installed. Install the pinned one "
            "(localstack/ministack/requirements.txt), or check each repair against the new version and raise VERSION."
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
        sys.exit(f"MiniStack {VERSION} no longer has {', '.join(missing)}. Find the new name, then change launch.py.")


def answer_functions_at_once():
    """Makes a warm call take 3 ms instead of 50 to 96.

    The Runtime API writes headers and body separately, and Nagle's algorithm delays the second write by 40 ms. Each
    call also waits 50 ms for a log line that may never come. With this repair it waits 2 ms, and a later line is
    added to the next call's log.
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
    """Applies a template's ReservedConcurrentExecutions to the function, as AWS does. MiniStack ignores it."""
    from ministack.services import lambda_svc
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

    function = _RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = function["create"], function["update"]

    def reserve(name, properties):
        reserved = properties.get("ReservedConcurrentExecutions")
        if name in lambda_svc._functions:
            lambda_svc._functions[name]["concurrency"] = int(reserved) if reserved is not None else None

    def create_reserved(logical_id, properties, stack):
        created = create(logical_id, properties, stack)
        reserve(created[0], properties)
        return created

    def update_reserved(physical_id, before, properties, stack, logical_id=None):
        updated = update(physical_id, before, properties, stack, logical_id)
        reserve(updated[0], properties)
        return updated

    function["create"], function["update"] = create_reserved, update_reserved


def authorize_batches_as_single_calls():
    """Lets sqs:SendMessage allow SendMessageBatch with AUTH=true, as on AWS.

    MiniStack requires the action sqs:SendMessageBatch, which IAM does not have.
    """
    from ministack.core import iam_actions

    extract = iam_actions.extract_iam_action

    def single(service, *request):
        action = extract(service, *request)
        if action and action.startswith("sqs:"):
            return action.removesuffix("Batch")
        return action

    iam_actions.extract_iam_action = single


def keep_stream_records():
    """Delivers undelivered stream records after a clean restart, as AWS would.

    As shipped, MiniStack saves the position of each mapping but not the records, so after a restart every mapping
    skips as many new records as it had read before. With BACKROOM_FORGET_STREAMS=1 the start drops the records, and
    nothing else: AWS does the same to records that were not read for 24 hours.
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


def stop_quickly_with_a_consistent_state():
    """Makes a clean stop take half a second, and save a consistent state.

    As shipped, MiniStack waits 3 s for idle connections. It also polls queues and runs functions while it saves one
    service after the other, so the state may have a message as received without its effect. With this repair the
    pollers stop and the functions end before anything is saved. Messages in flight are received again when their
    visibility timeout is over.
    """
    import hypercorn.config
    from ministack import app
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    save = app.save_all  # the save that save_as_a_whole installed

    def save_without_activity(services):
        for poll in ("_poll_sqs", "_poll_kinesis", "_poll_dynamodb_streams"):
            setattr(lambda_svc, poll, lambda: False)
        functions = [worker._proc for warm in list(lambda_runtime._workers.values()) for worker in warm]
        functions = [process for process in functions if process is not None]
        for process in functions:
            process.kill()
        for process in functions:
            process.wait()
        save(services)

    app.save_all = save_without_activity
    hypercorn.config.Config.graceful_timeout = 0.2


NOT_SAVED = 3  # the exit code after a stop that could not save
UNSAVED = "unsaved"  # beside the state: a MiniStack is running, or ended without saving


def recover_state():
    """Finishes what save_as_a_whole had begun when the process ended. It runs before MiniStack writes into the state."""
    state = os.environ["STATE_DIR"]
    new, old = state + ".new", state + ".old"
    if os.path.exists(new) and not os.path.exists(state):
        os.rename(new, state)  # complete: the process ended between the two renames
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def save_as_a_whole():
    """Saves the state of all services, or nothing.

    As shipped, MiniStack logs a service that cannot be saved, such as on a full disk, saves the others and exits with
    0: the next start has queues of one moment and tables of another. With this repair it saves into a new folder,
    which replaces the last one only when it is complete. Otherwise the last one stays, and the exit code is NOT_SAVED.
    The file UNSAVED exists from the start until a stop has saved.
    """
    from ministack import app
    from ministack.core import persistence
    from ministack.services import lambda_svc

    state = persistence.STATE_DIR
    new, old = state + ".new", state + ".old"
    unsaved = os.path.join(os.path.dirname(state), UNSAVED)
    with open(unsaved, "w"):
        pass
    save = app.save_all

    class Failures(logging.Handler):
        def __init__(self):
            super().__init__(logging.ERROR)
            self.count = 0

        def emit(self, record):
            self.count += 1

    def save_or_keep(services):
        failures = Failures()
        persistence.logger.addHandler(failures)
        try:
            # Links keep what need not be written again: the code of functions, and services that were not loaded.
            # MiniStack replaces files and never writes into them, so the last state stays as it is.
            if os.path.exists(state):
                shutil.copytree(state, new, copy_function=os.link)
            persistence.STATE_DIR = new
            lambda_svc.CODE_BLOB_DIR = os.path.join(new, "lambda-blobs")
            save(services)
            if failures.count:
                raise OSError(f"{failures.count} services could not be saved")
            if os.path.exists(state):
                os.rename(state, old)
            os.rename(new, state)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)  # before the line, because it makes room for it
            try:
                print(f"the state was not saved: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(NOT_SAVED)
        shutil.rmtree(old, ignore_errors=True)
        os.remove(unsaved)

    app.save_all = save_or_keep


def end_with_input():
    """Stops the server cleanly when standard input ends, which happens however the parent process ends."""

    def watch():
        while os.read(sys.stdin.fileno(), 1):  # sys.stdin has a lock, which must be free when the interpreter ends
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end-with-input", daemon=True).start()


if __name__ == "__main__":
    if os.environ.get("PERSIST_STATE") == "1":
        recover_state()
    check_names()
    answer_functions_at_once()
    honour_reserved_concurrency()
    authorize_batches_as_single_calls()
    keep_stream_records()
    if os.environ.get("PERSIST_STATE") == "1":
        save_as_a_whole()
    stop_quickly_with_a_consistent_state()
    if os.environ.get("LAUNCH_UNTIL_EOF") == "1":
        end_with_input()
    from ministack.app import main

    main()
