"""Out-of-fold predictions: pipelines, folds, fitting, and what a model is fitted on."""
