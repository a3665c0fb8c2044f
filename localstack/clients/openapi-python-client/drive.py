"""Drives the API with the client that openapi-python-client generated. See ../clients.go for what it prints."""

import base64
import os
import time
from collections.abc import Callable
from typing import TypeVar

from api import AuthenticatedClient, Client
from api.api.access import issue_token
from api.api.orders import cancel_order, get_order, list_orders, place_order, refund_order
from api.api.products import list_products
from api.models import (
    LineRequest,
    Money,
    Order,
    OrderList,
    OrderReceipt,
    OrderRequest,
    Problem,
    ProductList,
    RefundAmount,
    RefundRequest,
    Token,
    TokenRequest,
)
from api.types import UNSET, Response

T = TypeVar("T")
API = os.environ["BACKROOM_API"]
RUN = os.environ["BACKROOM_RUN"]


def token(customer: str | None = None) -> Token:
    pair = f"{os.environ['BACKROOM_CLIENT_ID']}:{os.environ['BACKROOM_CLIENT_SECRET']}"
    client = AuthenticatedClient(API, token=base64.b64encode(pair.encode()).decode(), prefix="Basic")
    body = TokenRequest(grant_type="client_credentials", customer=customer or UNSET)
    answer = issue_token.sync(client=client, body=body)
    assert isinstance(answer, Token), answer
    return answer


def refusal(answer: Response[T]) -> str:
    """The status and the code of a problem."""
    assert isinstance(answer.parsed, Problem), answer
    return f"{answer.status_code.value} {answer.parsed.code}"


def left(order: Order) -> int:
    return order.refundable.amount if isinstance(order.refundable, Money) else 0


def until(client: AuthenticatedClient, order_id: str, done: Callable[[Order], bool]) -> Order:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        order = get_order.sync(order_id, client=client)
        assert isinstance(order, Order), order
        if done(order):
            return order
        time.sleep(0.1)
    raise TimeoutError(f"order {order_id} did not get there in a minute")


def main() -> None:
    bought = token(RUN)
    print("token:", bought.token_type)
    page = list_products.sync(client=Client(API), limit=2)
    assert isinstance(page, ProductList), page
    print("products:", len(page.products))

    buyer = AuthenticatedClient(API, token=bought.access_token)

    def place(key: str, sku: str, method: str) -> Response[OrderReceipt | Problem]:
        body = OrderRequest(lines=[LineRequest(sku=sku, quantity=1)], payment_method=method)
        return place_order.sync_detailed(client=buyer, body=body, idempotency_key=f"{RUN}-{key}")

    def placed(key: str, method: str) -> str:
        receipt = place(key, "MUG-1", method).parsed
        assert isinstance(receipt, OrderReceipt), receipt
        return receipt.id

    order_id = placed("one", "pm_card_visa")
    print("placed:", order_id[:4])
    paid = until(buyer, order_id, lambda order: order.status in ("paid", "rejected"))
    print("paid:", str(paid.status))
    print("again:", "same order" if placed("one", "pm_card_visa") == order_id else "another order")
    print("reused:", refusal(place("one", "MUG-1", "pm_card_mastercard")))

    staff = AuthenticatedClient(API, token=token().access_token)
    amount = RefundAmount(amount=100, currency=paid.total.currency)
    refund_order.sync(
        order_id,
        client=staff,
        body=RefundRequest(amount=amount, reason="arrived late"),
        idempotency_key=f"{RUN}-refund",
    )
    refunded = until(staff, order_id, lambda order: left(order) < left(paid))
    print("refunded:", left(paid) - left(refunded))

    second = placed("two", "pm_sandbox_processing_4000")
    cancel_order.sync(second, client=buyer)
    canceled = until(buyer, second, lambda order: order.status in ("canceled", "paid"))
    print("canceled:", str(canceled.status))
    orders = list_orders.sync(client=buyer)
    assert isinstance(orders, OrderList), orders
    print("orders:", len(orders.orders))
    print("refused:", refusal(place("three", "NO-SUCH-SKU", "pm_card_visa")))
    print("unknown:", refusal(get_order.sync_detailed(order_id[:-1], client=buyer)))


if __name__ == "__main__":
    main()
