"""What `record.py` plays: which keys are pressed, and which screens are kept."""

PRODUCTS = [
    ("Enamel Mug", "12.50", 120),
    ("Desk Lamp", "89.00", 2),
    ("Linen Shirt", "39.00", 40),
    ("Paperback Book", "9.99", 0),
    ("Test Widget", "29.99", 10),
]


def stock_up(cluster):
    """The catalogue; the ids of its products."""
    ids = {}
    for name, price, stock in PRODUCTS:
        added = cluster.json("--as", "seller", "product", "add", "--name", name, "--price", price, "--stock", str(stock))
        ids[name] = added["id"]
    return ids


def screens(cluster, console):
    """The screens of docs/CONSOLE.md."""
    ids = stock_up(cluster)
    customers(cluster, console, ids)
    sellers(cluster, console)
    cluster.run("load", "--rate", "6", "--for", "12s", "--seed", "7", "--quiet")
    side_by_side(cluster, console, ids)
    admins(cluster, console)
    lessons(cluster, console)


def customers(cluster, console, ids):
    order = cluster.json("--as", "customer", "order", "create", "--item", f"{ids['Enamel Mug']}:2")["id"]
    cluster.run("--as", "seller", "order", "confirm", order, "--wait")
    at = console(cluster, ["--as", "customer"], (100, 30))
    at.sees("[customer]●")
    at.sees("Desk Lamp")
    at.keys("j", "j", "Enter", "j")
    at.looks()
    at.shoot("shop")
    at.keys("3", "p")
    at.sees("number")
    at.keys("C-t")
    at.sees("is paid")
    at.keys("Enter")
    at.sees("enter pays")
    at.shoot("pay")
    at.keys("Enter")
    at.sees("✓ Paid")
    at.keys("v")
    at.looks()
    at.shoot("receipt")
    at.keys("Escape", "Escape", "Enter")
    at.sees("timeline")
    at.looks()
    at.shoot("timeline")
    at.close()
    small = console(cluster, ["--as", "customer"], (40, 12))
    small.sees("Enamel")
    small.looks()
    small.shoot("small")
    small.close()


def sellers(cluster, console):
    at = console(cluster, ["--as", "seller"], (100, 30))
    at.sees("[seller]●")
    at.keys("2")
    at.sees("Desk Lamp")
    at.keys("n")
    at.types("Oak Table")
    at.looks()
    at.shoot("inventory")
    at.close()


def side_by_side(cluster, console, ids):
    order = cluster.json("--as", "customer", "order", "create", "--item", f"{ids['Test Widget']}:1")["id"]
    at = console(cluster, ["--split"], (160, 42))
    at.sees("[customer]●")
    at.keys("3", "F4", "3")
    at.looks()
    at.keys("Enter")
    at.looks()
    at.keys("F2")
    cluster.run("--as", "seller", "order", "confirm", order, "--wait")
    at.sees("to pay")
    at.looks()
    at.shoot("split")
    at.close()


def admins(cluster, console):
    at = console(cluster, ["--as", "admin"], (120, 34))
    at.sees("[admin]●")
    at.sees("postgres")
    at.looks(3)
    at.shoot("health")
    at.keys("2")
    cluster.run("load", "--rate", "8", "--for", "20s", "--seed", "8", "--quiet")
    at.looks(2)
    at.shoot("flow")
    at.keys("4")
    at.looks()
    at.shoot("events")
    at.keys("8")
    at.looks()
    cluster.run("chaos", "set", "payment-failure", "50%")
    cluster.run("chaos", "set", "relay-twice", "20%")
    cluster.run("load", "--rate", "8", "--for", "8s", "--seed", "9", "--quiet")
    at.keys("v")
    at.sees("✓ verify")
    at.looks(2)
    at.shoot("chaos")
    cluster.run("chaos", "clear")
    at.close()


def lessons(cluster, console):
    at = console(cluster, ["--as", "customer"], (140, 36))
    at.sees("[customer]●")
    at.keys("F6")
    at.looks()
    at.shoot("lessons")
    at.close()


def cast(cluster, console):
    """A first order, from the cart to the parcel: one person plays both parts."""
    from record import HERE

    stock_up(cluster)
    at = console(cluster, ["--as", "customer"], (120, 34), cast=str(HERE / "first-order.cast"))
    at.sees("Enamel Mug")
    at.looks(2)
    at.keys("/")
    at.types("lamp")
    at.keys("Enter")
    at.looks()
    at.keys("Enter")
    at.looks()
    at.keys("2")
    at.looks(2)
    at.keys("Enter")
    at.sees("waits for the seller")
    at.looks(2)
    at.keys("F3")
    at.sees("[seller]●")
    at.sees("pending")
    at.looks(2)
    at.keys("c")
    at.sees("confirmed")
    at.looks(2)
    at.keys("F2")
    at.sees("to pay")
    at.looks()
    at.keys("p")
    at.sees("number")
    at.types("4242424242424242")
    at.keys("Tab")
    at.types("1230")
    at.keys("Tab")
    at.types("123")
    at.looks()
    at.keys("Enter")
    at.sees("✓ Paid")
    at.looks(2)
    at.keys("Escape", "F3")
    at.sees("paid")
    at.looks()
    at.keys("f")
    at.sees("fulfilled")
    at.looks()
    at.keys("F2", "Enter")
    at.sees("timeline")
    at.looks(4)
    at.keys("q")
    at.looks()
