"""A sentence for every event that fails, wherever in Gradio it fails.

For any error but its own, Gradio sends the browser and programs `{"error": null}`: also for a file that was
never uploaded, an invalid number, or a value of another type than a component takes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import gradio as gr
from gradio.blocks import BlockFunction
from gradio.exceptions import InvalidPathError

from ui.server.request_log import request_id, request_id_of, with_request_id

log = logging.getLogger(__name__)

NOT_UPLOADED = "This file was not uploaded here. Upload the clip first."
UNEXPECTED = "Something went wrong here. The server's log says what; please try again."

Parameters = ParamSpec("Parameters")
Reply = TypeVar("Reply")


def explain_errors(demo: gr.Blocks) -> None:
    """Have every failure of the app's events end in a `gr.Error` with a sentence. Called once it is built."""
    preprocess, process = demo.preprocess_data, demo.process_api

    async def preprocess_data(block_fn: BlockFunction, *values: Any, **named: Any) -> Any:
        try:
            return await preprocess(block_fn, *values, **named)
        except gr.Error:
            raise
        except InvalidPathError as error:
            raise refusal(NOT_UPLOADED) from error
        except Exception as error:
            log.info("what was sent to %s is not what it takes: %r", block_fn.api_name, error)
            raise refusal(_not_taken(block_fn)) from error

    demo.preprocess_data = preprocess_data  # type: ignore[method-assign]
    demo.process_api = _explained(process)  # type: ignore[method-assign]


def refusal(sentence: str) -> gr.Error:
    """Expected errors leave no traceback in the server's log."""
    return gr.Error(sentence, print_exception=False)


def _explained(
    process: Callable[Parameters, Coroutine[Any, Any, Reply]],
) -> Callable[Parameters, Coroutine[Any, Any, Reply]]:
    async def explained(*values: Parameters.args, **named: Parameters.kwargs) -> Reply:
        # An event that waited in the queue runs outside of its request.
        token = request_id.set(request_id_of(named.get("request")) or request_id.get())
        try:
            return await process(*values, **named)
        except gr.Error:
            raise
        except Exception as error:
            log.exception("an event failed")
            raise refusal(with_request_id(UNEXPECTED)) from error
        finally:
            request_id.reset(token)

    return explained


def _not_taken(block_fn: BlockFunction) -> str:
    names = [str(label) for block in block_fn.inputs if (label := getattr(block, "label", None))]
    taken = f" It takes, in this order: {', '.join(names)}." if names else ""
    return f"One of the values that were sent has the wrong type.{taken}"
