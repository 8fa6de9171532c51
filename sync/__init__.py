"""From Customer.io segments to Criteo contact lists, minus the people held out."""
