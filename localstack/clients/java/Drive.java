import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Predicate;

import com.google.gson.JsonParser;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.AccessApi;
import org.openapitools.client.api.OrdersApi;
import org.openapitools.client.api.ProductsApi;
import org.openapitools.client.model.*;

/** Drives the API with the client that openapi-generator's java generated. See ../clients.go for what it prints. */
public class Drive {
    static final String RUN = System.getenv("BACKROOM_RUN");

    static ApiClient client() {
        return new ApiClient().setBasePath(System.getenv("BACKROOM_API"));
    }

    static Token token(String customer) throws ApiException {
        ApiClient client = client();
        client.setUsername(System.getenv("BACKROOM_CLIENT_ID"));
        client.setPassword(System.getenv("BACKROOM_CLIENT_SECRET"));
        return new AccessApi(client).issueToken(null, null, customer, "client_credentials", null);
    }

    static OrdersApi orders(String token) {
        ApiClient client = client();
        client.setBearerToken(token);
        return new OrdersApi(client);
    }

    /** The status and the code of the problem that a call ends with. */
    static String refusal(Callable<?> call) throws Exception {
        try {
            return "no refusal: " + call.call();
        } catch (ApiException failure) {
            String code = JsonParser.parseString(failure.getResponseBody()).getAsJsonObject().get("code").getAsString();
            return failure.getCode() + " " + code;
        }
    }

    static Order until(OrdersApi api, String id, Predicate<Order> done) throws Exception {
        for (long end = System.nanoTime() + 60_000_000_000L; System.nanoTime() < end; Thread.sleep(100)) {
            Order order = api.getOrder(id, null);
            if (done.test(order)) {
                return order;
            }
        }
        throw new IllegalStateException("order " + id + " did not get there in a minute");
    }

    static OrderReceipt place(OrdersApi api, String key, String sku, String method) throws ApiException {
        return api.placeOrder(RUN + "-" + key, new OrderRequest().paymentMethod(method)
            .lines(List.of(new LineRequest().sku(sku).quantity(1L))));
    }

    static long left(Order order) {
        return order.getRefundable() == null ? 0 : order.getRefundable().getAmount();
    }

    public static void main(String[] arguments) throws Exception {
        Token bought = token(RUN);
        System.out.println("token: " + bought.getTokenType());
        System.out.println("products: " + new ProductsApi(client()).listProducts(2L, null, null).getProducts().size());

        OrdersApi buyer = orders(bought.getAccessToken());
        String id = place(buyer, "one", "MUG-1", "pm_card_visa").getId();
        System.out.println("placed: " + id.substring(0, 4));
        Order paid = until(buyer, id, order -> List.of("paid", "rejected").contains(order.getStatus()));
        System.out.println("paid: " + paid.getStatus());
        boolean same = place(buyer, "one", "MUG-1", "pm_card_visa").getId().equals(id);
        System.out.println("again: " + (same ? "same order" : "another order"));
        System.out.println("reused: " + refusal(() -> place(buyer, "one", "MUG-1", "pm_card_mastercard")));

        OrdersApi staff = orders(token(null).getAccessToken());
        RefundAmount amount = new RefundAmount().amount(100L).currency(paid.getTotal().getCurrency());
        staff.refundOrder(RUN + "-refund", id, new RefundRequest().amount(amount).reason("arrived late"));
        Order refunded = until(staff, id, order -> left(order) < left(paid));
        System.out.println("refunded: " + (left(paid) - left(refunded)));

        String second = place(buyer, "two", "MUG-1", "pm_sandbox_processing_4000").getId();
        buyer.cancelOrder(second, null);
        Order canceled = until(buyer, second, order -> List.of("canceled", "paid").contains(order.getStatus()));
        System.out.println("canceled: " + canceled.getStatus());
        System.out.println("orders: " + buyer.listOrders(null, null, null, null, null).getOrders().size());
        System.out.println("refused: " + refusal(() -> place(buyer, "three", "NO-SUCH-SKU", "pm_card_visa")));
        System.out.println("unknown: " + refusal(() -> buyer.getOrder(id.substring(0, id.length() - 1), null)));
        System.exit(0); // okhttp's threads would keep the process for a minute
    }
}
