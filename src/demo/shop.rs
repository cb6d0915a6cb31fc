//! Owns the shop: products on pages, carts, and a till that turns one card down.

use std::sync::{Mutex, PoisonError};

use hyper::StatusCode;
use hyper::header::LINK;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, detail, ok, value, with};
use super::asked::{Asked, required, whole};
use super::kept::Kept;

/// So many products there are, with ids from 1.
const PRODUCTS: u64 = 47;
/// Carts that are remembered.
const CARTS: usize = 100_000;
/// The card that is turned down ends like this, as the test cards of payment services do.
const DECLINED: &str = "0002";

/// What one buys, in cents.
#[derive(Debug, Clone, Copy)]
struct Cart {
    items: u64,
    cents: u64,
}

#[derive(Debug)]
struct Till {
    carts: Kept<u64, Cart>,
    last_cart: u64,
    last_order: u64,
}

/// Carts and orders.
#[derive(Debug)]
pub(super) struct Shop(Mutex<Till>);

impl Default for Shop {
    fn default() -> Self {
        Self(Mutex::new(Till { carts: Kept::new(CARTS), last_cart: 0, last_order: 0 }))
    }
}

/// From 5.49 to 90.37, the same for the same id.
fn cents(id: u64) -> u64 {
    499 + id * 37 % 9 * 1000 + id * 13 % 50
}

fn money(cents: u64) -> f64 {
    cents as f64 / 100.0
}

fn product(id: u64) -> Value {
    const KINDS: [&str; 5] = ["Lamp", "Chair", "Clock", "Kettle", "Shelf"];
    let kind = KINDS[(id % 5) as usize];
    json!({ "id": id, "name": format!("{kind} {id}"), "price": money(cents(id)) })
}

/// A page of products; `next` leads on until there are no more.
pub(super) fn products(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let page = asked.number("page", 1)?.max(1);
    let limit = asked.number("limit", 10)?.clamp(1, 100);
    let first = (page - 1).saturating_mul(limit).saturating_add(1);
    let end = first.saturating_add(limit).min(PRODUCTS + 1);
    let items: Vec<Value> = (first..end).map(product).collect();
    let pages = PRODUCTS.div_ceil(limit);
    let next = (page < pages).then(|| format!("/products?page={}&limit={limit}", page + 1));
    let answer = ok(&json!({
        "items": items, "page": page, "pages": pages, "total": PRODUCTS, "next": next,
    }));
    Ok(match next {
        Some(next) => with(answer, LINK, &format!("<http://{}{next}>; rel=\"next\"", asked.host())),
        None => answer,
    })
}

/// One product.
pub(super) fn one(id: &str) -> Answer {
    match id.parse() {
        Ok(id) if (1..=PRODUCTS).contains(&id) => ok(&product(id)),
        _ => no_product(),
    }
}

fn no_product() -> Answer {
    detail(StatusCode::NOT_FOUND, "Product not found")
}

impl Shop {
    /// Puts a product into a cart: a new one, or the one that is named.
    pub(super) fn cart(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let fields = asked.fields()?;
        let id = whole(&fields, "product")?;
        if !(1..=PRODUCTS).contains(&id) {
            return Err(no_product().into());
        }
        let quantity =
            if fields.contains_key("quantity") { whole(&fields, "quantity")? } else { 1 };
        let quantity = quantity.clamp(1, 1000);
        let mut till = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, mut cart) = if fields.get("cart").is_some_and(|cart| !cart.is_null()) {
            let number = whole(&fields, "cart")?;
            (number, *till.carts.get_mut(&number).ok_or_else(no_cart)?)
        } else {
            till.last_cart += 1;
            (till.last_cart, Cart { items: 0, cents: 0 })
        };
        cart.items = cart.items.saturating_add(quantity);
        cart.cents = cart.cents.saturating_add(quantity * cents(id));
        till.carts.insert(number, cart);
        let body = json!({ "cart": number, "items": cart.items, "total": money(cart.cents) });
        Ok(value(StatusCode::CREATED, &body))
    }

    /// Pays a cart, which is gone then.
    pub(super) fn checkout(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let fields = asked.fields()?;
        let number = whole(&fields, "cart")?;
        let card = required(&fields, "card")?;
        let mut till = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cart = *till.carts.get_mut(&number).ok_or_else(no_cart)?;
        if card.ends_with(DECLINED) {
            return Err(detail(StatusCode::PAYMENT_REQUIRED, "Card declined").into());
        }
        till.carts.remove(&number);
        till.last_order += 1;
        let order = till.last_order;
        Ok(ok(&json!({ "order": order, "status": "paid", "total": money(cart.cents) })))
    }
}

fn no_cart() -> Answer {
    detail(StatusCode::NOT_FOUND, "Cart not found")
}
