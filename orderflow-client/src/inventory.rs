//! The inventory service.

use orderflow_contracts::{
    api::{
        Page,
        inventory::{CreateProduct, EditProduct, Product, ProductSort, Reservation, Restock},
    },
    ids::{AccountId, OrderId, ProductId},
};

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client, ListQuery, Written},
};

/// Which products.
#[derive(Debug, Clone, Default)]
pub struct ProductQuery {
    /// A part of the name.
    pub search: Option<String>,
    /// Only what can be had.
    pub in_stock: bool,
    /// In which order.
    pub sort: ProductSort,
    /// Only this seller's.
    pub seller_id: Option<AccountId>,
    /// Which part of the list.
    pub page: ListQuery,
}

impl ProductQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = self.page.pairs();
        pairs.extend(self.search.clone().map(|search| ("search", search)));
        pairs.extend(self.in_stock.then(|| ("in_stock", "true".to_owned())));
        pairs.extend(self.seller_id.map(|id| ("seller_id", id.to_string())));
        let sort = match self.sort {
            ProductSort::Newest => "newest",
            ProductSort::Name => "name",
            ProductSort::Price => "price",
            ProductSort::Available => "available",
        };
        pairs.push(("sort", sort.to_owned()));
        pairs
    }
}

impl Client {
    /// Adds a product, as a seller.
    pub async fn create_product(&self, product: &CreateProduct, key: &str) -> Result<Written<Product>, ClientError> {
        self.write(Call::post(Service::Inventory, "/v1/products").body(product)?.key(key)).await
    }

    /// The catalogue.
    pub async fn products(&self, query: &ProductQuery) -> Result<Page<Product>, ClientError> {
        self.ask(Call::get(Service::Inventory, "/v1/products").query(query.pairs())).await
    }

    /// A product.
    pub async fn product(&self, id: ProductId) -> Result<Product, ClientError> {
        self.ask(Call::get(Service::Inventory, format!("/v1/products/{id}"))).await
    }

    /// Changes a product, as its seller.
    pub async fn edit_product(
        &self,
        id: ProductId,
        edit: &EditProduct,
        key: &str,
    ) -> Result<Written<Product>, ClientError> {
        self.write(Call::patch(Service::Inventory, format!("/v1/products/{id}")).body(edit)?.key(key)).await
    }

    /// Adds to a product's stock, as its seller.
    pub async fn restock_product(
        &self,
        id: ProductId,
        more: Restock,
        key: &str,
    ) -> Result<Written<Product>, ClientError> {
        self.write(Call::post(Service::Inventory, format!("/v1/products/{id}/restock")).body(&more)?.key(key)).await
    }

    /// One's reservations.
    pub async fn reservations(&self, query: &ListQuery) -> Result<Page<Reservation>, ClientError> {
        self.ask(Call::get(Service::Inventory, "/v1/reservations").query(query.pairs())).await
    }

    /// An order's reservation.
    pub async fn reservation(&self, order_id: OrderId) -> Result<Reservation, ClientError> {
        self.ask(Call::get(Service::Inventory, format!("/v1/reservations/{order_id}"))).await
    }
}
