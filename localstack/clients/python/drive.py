"""Drives the API with the client that openapi-generator's python generated. See ../clients.go for what it prints."""

import json
import os
import time
from collections.abc import Callable

from api import AccessApi, ApiClient, ApiException, Configuration, OrdersApi, ProductsApi
from api.models import LineRequest, Order, OrderRequest, RefundAmount, RefundRequest, Token

API = os.environ["BACKROOM_API"]
RUN = os.environ["BACKROOM_RUN"]


def token(customer: str | None = None) -> Token:
    id, secret = os.environ["BACKROOM_CLIENT_ID"], os.environ["BACKROOM_CLIENT_SECRET"]
    access = AccessApi(ApiClient(Configuration(host=API, username=id, password=secret)))
    return access.issue_token(grant_type="client_credentials", customer=customer)


def orders(access_token: str) -> OrdersApi:
    return OrdersApi(ApiClient(Configuration(host=API, access_token=access_token)))


def refusal(call: Callable[[], object]) -> str:
    """The status and the code of the problem that a call ends with."""
    try:
        return f"no refusal: {call()}"
    except ApiException as failure:
        return f"{failure.status} {json.loads(failure.body)['code']}"


def left(order: Order) -> int:
    return order.refundable.amount if order.refundable else 0


def until(api: OrdersApi, order_id: str, done: Callable[[Order], bool]) -> Order:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        order = api.get_order(order_id)
        if done(order):
            return order
        time.sleep(0.1)
    raise TimeoutError(f"order {order_id} did not get there in a minute")


def main() -> None:
    bought = token(RUN)
    print("token:", bought.token_type)
    page = ProductsApi(ApiClient(Configuration(host=API))).list_products(limit=2)
    print("products:", len(page.products))

    buyer = orders(bought.access_token)

    def place(key: str, sku: str, method: str) -> str:
        body = OrderRequest(lines=[LineRequest(sku=sku, quantity=1)], payment_method=method)
        return buyer.place_order(f"{RUN}-{key}", body).id

    order_id = place("one", "MUG-1", "pm_card_visa")
    print("placed:", order_id[:4])
    paid = until(buyer, order_id, lambda order: order.status in ("paid", "rejected"))
    print("paid:", paid.status)
    print("again:", "same order" if place("one", "MUG-1", "pm_card_visa") == order_id else "another order")
    print("reused:", refusal(lambda: place("one", "MUG-1", "pm_card_mastercard")))

    staff = orders(token().access_token)
    amount = RefundAmount(amount=100, currency=paid.total.currency)
    staff.refund_order(f"{RUN}-refund", order_id, RefundRequest(amount=amount, reason="arrived late"))
    refunded = until(staff, order_id, lambda order: left(order) < left(paid))
    print("refunded:", left(paid) - left(refunded))

    second = place("two", "MUG-1", "pm_sandbox_processing_4000")
    buyer.cancel_order(second)
    canceled = until(buyer, second, lambda order: order.status in ("canceled", "paid"))
    print("canceled:", canceled.status)
    print("orders:", len(buyer.list_orders().orders))
    print("refused:", refusal(lambda: place("three", "NO-SUCH-SKU", "pm_card_visa")))
    print("unknown:", refusal(lambda: buyer.get_order(order_id[:-1])))


if __name__ == "__main__":
    main()
