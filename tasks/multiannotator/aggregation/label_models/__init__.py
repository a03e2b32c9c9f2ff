"""Label models: what the votes alone say of the items' classes and of the annotators.

Every module is one model with one function, ``fit(votes, ...) -> Fit``:

======================  ===========================================================================
`majority`              the class with the most votes; posterior = shares of votes
`wawa`                  votes weighted by how often their annotator agrees with the majority
`dawid_skene`           a confusion matrix for each annotator
`one_coin`              Dawid-Skene with one accuracy for each annotator
`glad`                  an ability for each annotator, a difficulty for each item
`mace`                  annotators who know with some probability, and else spam
======================  ===========================================================================
"""
