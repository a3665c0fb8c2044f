// Drives the API with the client that openapi-generator's typescript-fetch generated. See ../clients.go for what it prints.
import { AccessApi, Configuration, OrdersApi, ProductsApi, ResponseError, type Order, type Token } from "./api";

const setting = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};
const run = setting("BACKROOM_RUN");
const basePath = setting("BACKROOM_API");

// refusal is the status and the code of the problem that a call ends with.
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "no refusal";
  } catch (failure) {
    if (!(failure instanceof ResponseError)) throw failure;
    return `${failure.response.status} ${((await failure.response.json()) as { code?: string }).code}`;
  }
}

function token(customer?: string): Promise<Token> {
  const username = setting("BACKROOM_CLIENT_ID");
  const password = setting("BACKROOM_CLIENT_SECRET");
  const access = new AccessApi(new Configuration({ basePath, username, password }));
  return access.issueToken({ grantType: "client_credentials", ...(customer !== undefined && { customer }) });
}

const orders = (accessToken: string) => new OrdersApi(new Configuration({ basePath, accessToken }));

async function until(api: OrdersApi, id: string, done: (order: Order) => boolean): Promise<Order> {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 100))) {
    const order = await api.getOrder({ id });
    if (done(order)) return order;
  }
  throw new Error(`order ${id} did not get there in a minute`);
}

async function main() {
  const bought = await token(run);
  console.log(`token: ${bought.tokenType}`);
  const page = await new ProductsApi(new Configuration({ basePath })).listProducts({ limit: 2 });
  console.log(`products: ${page.products.length}`);

  const buyer = orders(bought.accessToken);
  const place = (key: string, sku: string, paymentMethod: string) => buyer.placeOrder({
    idempotencyKey: `${run}-${key}`,
    orderRequest: { lines: [{ sku, quantity: 1 }], paymentMethod },
  });
  const { id } = await place("one", "MUG-1", "pm_card_visa");
  console.log(`placed: ${id.slice(0, 4)}`);
  const paid = await until(buyer, id, (order) => order.status === "paid" || order.status === "rejected");
  console.log(`paid: ${paid.status}`);
  console.log(`again: ${(await place("one", "MUG-1", "pm_card_visa")).id === id ? "same order" : "another order"}`);
  console.log(`reused: ${await refusal(place("one", "MUG-1", "pm_card_mastercard"))}`);

  const staff = orders((await token()).accessToken);
  await staff.refundOrder({
    id,
    idempotencyKey: `${run}-refund`,
    refundRequest: { amount: { amount: 100, currency: paid.total.currency }, reason: "arrived late" },
  });
  const left = (order: Order) => order.refundable?.amount ?? 0;
  const refunded = await until(staff, id, (order) => left(order) < left(paid));
  console.log(`refunded: ${left(paid) - left(refunded)}`);

  const second = await place("two", "MUG-1", "pm_sandbox_processing_4000");
  await buyer.cancelOrder({ id: second.id });
  const canceled = await until(buyer, second.id, (order) => order.status === "canceled" || order.status === "paid");
  console.log(`canceled: ${canceled.status}`);
  console.log(`orders: ${(await buyer.listOrders()).orders.length}`);
  console.log(`refused: ${await refusal(place("three", "NO-SUCH-SKU", "pm_card_visa"))}`);
  console.log(`unknown: ${await refusal(buyer.getOrder({ id: id.replace(/.$/, "") }))}`);
}

main().catch((failure) => {
  console.error(failure);
  process.exit(1);
});
