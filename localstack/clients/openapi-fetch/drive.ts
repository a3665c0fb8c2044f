// Drives the API with openapi-fetch, on the types that openapi-typescript generated. See ../clients.go for what it prints.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./api";

type Order = components["schemas"]["Order"];
type Answer<T> = { data?: T; error?: unknown; response: Response };

const setting = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};
const run = setting("BACKROOM_RUN");
const api = createClient<paths>({ baseUrl: setting("BACKROOM_API") });

function good<T>({ data, error, response }: Answer<T>): T {
  if (data === undefined) throw new Error(`${response.status} ${JSON.stringify(error)}`);
  return data;
}

// refusal is the status and the code of a problem.
function refusal({ error, response }: Answer<unknown>): string {
  return `${response.status} ${(error as components["schemas"]["Problem"] | undefined)?.code}`;
}

async function token(customer?: string): Promise<components["schemas"]["Token"]> {
  const pair = `${setting("BACKROOM_CLIENT_ID")}:${setting("BACKROOM_CLIENT_SECRET")}`;
  return good(await api.POST("/oauth/token", {
    headers: {
      Authorization: "Basic " + Buffer.from(pair).toString("base64"),
      "Content-Type": "application/x-www-form-urlencoded",
    },
    body: { grant_type: "client_credentials", ...(customer && { customer }) },
    bodySerializer: (body) => new URLSearchParams(body as Record<string, string>),
  }));
}

const bearer = (value: string): Middleware => ({
  onRequest({ request }) {
    if (!request.headers.has("Authorization")) request.headers.set("Authorization", `Bearer ${value}`);
    return request;
  },
});

async function until(id: string, done: (order: Order) => boolean): Promise<Order> {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 100))) {
    const order = good(await api.GET("/orders/{id}", { params: { path: { id } } }));
    if (done(order)) return order;
  }
  throw new Error(`order ${id} did not get there in a minute`);
}

const place = (key: string, sku: string, payment_method: string) => api.POST("/orders", {
  params: { header: { "Idempotency-Key": `${run}-${key}` } },
  body: { lines: [{ sku, quantity: 1 }], payment_method },
});

async function main() {
  const buyer = await token(run);
  console.log(`token: ${buyer.token_type}`);
  const page = good(await api.GET("/products", { params: { query: { limit: 2 } } }));
  console.log(`products: ${page.products.length}`);

  const asBuyer = bearer(buyer.access_token);
  api.use(asBuyer);
  const { id } = good(await place("one", "MUG-1", "pm_card_visa"));
  console.log(`placed: ${id.slice(0, 4)}`);
  const paid = await until(id, (order) => order.status === "paid" || order.status === "rejected");
  console.log(`paid: ${paid.status}`);
  console.log(`again: ${good(await place("one", "MUG-1", "pm_card_visa")).id === id ? "same order" : "another order"}`);
  console.log(`reused: ${refusal(await place("one", "MUG-1", "pm_card_mastercard"))}`);

  api.eject(asBuyer);
  const asStaff = bearer((await token()).access_token);
  api.use(asStaff);
  good(await api.POST("/orders/{id}/refunds", {
    params: { path: { id }, header: { "Idempotency-Key": `${run}-refund` } },
    body: { amount: { amount: 100, currency: paid.total.currency }, reason: "arrived late" },
  }));
  const left = (order: Order) => order.refundable?.amount ?? 0;
  const refunded = await until(id, (order) => left(order) < left(paid));
  console.log(`refunded: ${left(paid) - left(refunded)}`);

  api.eject(asStaff);
  api.use(asBuyer);
  const second = good(await place("two", "MUG-1", "pm_sandbox_processing_4000"));
  good(await api.POST("/orders/{id}/cancellation", { params: { path: { id: second.id } } }));
  const canceled = await until(second.id, (order) => order.status === "canceled" || order.status === "paid");
  console.log(`canceled: ${canceled.status}`);
  console.log(`orders: ${good(await api.GET("/orders")).orders.length}`);
  console.log(`refused: ${refusal(await place("three", "NO-SUCH-SKU", "pm_card_visa"))}`);
  console.log(`unknown: ${refusal(await api.GET("/orders/{id}", { params: { path: { id: id.replace(/.$/, "") } } }))}`);
}

main().catch((failure) => {
  console.error(failure);
  process.exit(1);
});
