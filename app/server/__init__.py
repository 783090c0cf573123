"""HTTP server that offers this computer's models to other programs. Runs only when switched on."""
