"""Users and jobs as each day saw them."""
