"""Make-believe extracts: people, and the files that Customer Insights would deliver of them."""
