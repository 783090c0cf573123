"""Models of this computer: suggesting, finding, downloading, estimating, storing."""
