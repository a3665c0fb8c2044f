//! Drives the API with the client that openapi-generator's rust generated. See ../clients.go for what it prints.
use openapi::apis::configuration::Configuration;
use openapi::apis::{access_api, orders_api, products_api, Error};
use openapi::models::{LineRequest, Order, OrderRequest, RefundAmount, RefundRequest, Token};
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

fn configuration() -> Configuration {
    Configuration { base_path: setting("BACKROOM_API"), ..Configuration::new() }
}

fn orders(token: &Token) -> Configuration {
    Configuration { bearer_access_token: Some(token.access_token.clone()), ..configuration() }
}

async fn token(customer: Option<&str>) -> Result<Token, Failure> {
    let pair = (setting("BACKROOM_CLIENT_ID"), Some(setting("BACKROOM_CLIENT_SECRET")));
    let access = Configuration { basic_auth: Some(pair), ..configuration() };
    Ok(access_api::issue_token(&access, None, None, customer, Some("client_credentials"), None).await?)
}

/// The status and the code of the problem that a call ended with.
fn refusal<T, E>(answer: Result<T, Error<E>>) -> Result<String, Failure>
where
    E: std::fmt::Debug + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok("no refusal".to_string()),
        Err(Error::ResponseError(refused)) => {
            let problem: serde_json::Value = serde_json::from_str(&refused.content)?;
            Ok(format!("{} {}", refused.status.as_u16(), problem["code"].as_str().unwrap_or("without a code")))
        }
        Err(other) => Err(Box::new(other)),
    }
}

fn left(order: &Order) -> i64 {
    order.refundable.amount
}

async fn until(api: &Configuration, id: &str, done: impl Fn(&Order) -> bool) -> Result<Order, Failure> {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        let order = orders_api::get_order(api, id, None).await?;
        if done(&order) {
            return Ok(order);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("order {id} did not get there in a minute").into())
}

fn basket(sku: &str, method: &str) -> OrderRequest {
    OrderRequest::new(vec![LineRequest::new(1, sku.to_string())], method.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let run = setting("BACKROOM_RUN");
    let bought = token(Some(&run)).await?;
    println!("token: {}", bought.token_type);
    let page = products_api::list_products(&configuration(), Some(2), None, None).await?;
    println!("products: {}", page.products.len());

    let buyer = orders(&bought);
    let first = format!("{run}-one");
    let id = orders_api::place_order(&buyer, &first, basket("MUG-1", "pm_card_visa")).await?.id;
    println!("placed: {}", &id[..4]);
    let paid = until(&buyer, &id, |order| order.status == "paid" || order.status == "rejected").await?;
    println!("paid: {}", paid.status);
    let again = orders_api::place_order(&buyer, &first, basket("MUG-1", "pm_card_visa")).await?.id;
    println!("again: {}", if again == id { "same order" } else { "another order" });
    let reused = orders_api::place_order(&buyer, &first, basket("MUG-1", "pm_card_mastercard")).await;
    println!("reused: {}", refusal(reused)?);

    let staff = orders(&token(None).await?);
    let mut request = RefundRequest::new("arrived late".to_string());
    request.amount = Some(RefundAmount::new(100, paid.total.currency.clone()).into());
    orders_api::refund_order(&staff, &format!("{run}-refund"), &id, request).await?;
    let refunded = until(&staff, &id, |order| left(order) < left(&paid)).await?;
    println!("refunded: {}", left(&paid) - left(&refunded));

    let slow = basket("MUG-1", "pm_sandbox_processing_4000");
    let second = orders_api::place_order(&buyer, &format!("{run}-two"), slow).await?.id;
    orders_api::cancel_order(&buyer, &second, None).await?;
    let canceled = until(&buyer, &second, |order| order.status == "canceled" || order.status == "paid").await?;
    println!("canceled: {}", canceled.status);
    println!("orders: {}", orders_api::list_orders(&buyer, None, None, None, None, None).await?.orders.len());
    let unsold = orders_api::place_order(&buyer, &format!("{run}-three"), basket("NO-SUCH-SKU", "pm_card_visa")).await;
    println!("refused: {}", refusal(unsold)?);
    println!("unknown: {}", refusal(orders_api::get_order(&buyer, &id[..id.len() - 1], None).await)?);
    Ok(())
}
