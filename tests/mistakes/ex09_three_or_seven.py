"""Wrong answers to exercise 09, each with what its author should read."""

import torch

from grader.bank import mistake


@mistake(
    "init_params",
    "Tracking starts before the scaling, so the product is a result inside a graph, not a leaf, "
    "and no gradient will ever be kept for it. Look at the order of the two steps.",
)
def tracked_before_scaling(size, std=1.0):
    return torch.randn(size).requires_grad_() * std


@mistake(
    "init_params",
    "These numbers are uniform between 0 and std: never negative, and with a mean above 0. Normal"
    " numbers come from another function.",
)
def uniform(size, std=1.0):
    return (torch.rand(size) * std).requires_grad_()


@mistake("init_params", "The standard deviation is always 1 here: std is never used.")
def forgets_std(size, std=1.0):
    return torch.randn(size).requires_grad_()


@mistake(
    "init_params",
    "This takes std for the variance. Multiplying numbers by c multiplies their deviation by c.",
)
def std_as_variance(size, std=1.0):
    return (torch.randn(size) * std**0.5).requires_grad_()


@mistake("init_params", "These numbers are not tracked: a backward pass leaves no gradient here.")
def not_tracked(size, std=1.0):
    return torch.randn(size) * std


@mistake(
    "init_params",
    "A fixed seed gives the same numbers at every call, so every parameter of one size starts "
    "equal. Leave the seed to whoever runs the training.",
)
def seeded_inside(size, std=1.0):
    torch.manual_seed(0)
    return (torch.randn(size) * std).requires_grad_()


@mistake("linear1", "The bias is missing: with a black image the output has to be the bias.")
def no_bias(xb, weights, bias):
    return xb @ weights


@mistake(
    "linear1",
    "The bias is added to the pixels, so each of its copies is weighted too. It belongs to the "
    "sum.",
)
def bias_before_weights(xb, weights, bias):
    return (xb + bias) @ weights


@mistake(
    "linear1",
    "One dimension is gone: the result is (N,), and next to targets of shape (N, 1) it would "
    "silently stretch to (N, N). Keep a column.",
)
def flat_result(xb, weights, bias):
    return (xb @ weights + bias).squeeze(1)


@mistake(
    "linear1",
    "Pixels and weights are multiplied but not added up: an output per pixel instead of one per "
    "image.",
)
def products_not_summed(xb, weights, bias):
    return xb * weights.T + bias


@mistake(
    "linear1",
    "This squeezes the output already. A linear model gives raw numbers; the loss squeezes them.",
)
def already_squeezed(xb, weights, bias):
    return torch.sigmoid(xb @ weights + bias)


@mistake(
    "linear1",
    "The product is taken from data that the graph does not see: the weights would never learn.",
)
def weights_outside_the_graph(xb, weights, bias):
    return xb @ weights.detach() + bias


@mistake("linear1", "The bias is subtracted. By convention it is added.")
def bias_subtracted(xb, weights, bias):
    return xb @ weights - bias


@mistake(
    "sigmoid",
    "The exponent has the wrong sign: this curve falls from 1 to 0 where the sigmoid rises.",
)
def falling(x):
    return 1 / (1 + torch.exp(x))


@mistake(
    "sigmoid",
    "This is the hyperbolic tangent: it runs from −1 to 1 and gives 0 at 0, where 0.5 is wanted.",
)
def tanh(x):
    return torch.tanh(x)


@mistake("sigmoid", "The brackets are missing: division goes before addition, so this is 1 + e^−x.")
def no_brackets(x):
    return 1 / 1 + torch.exp(-x)


@mistake(
    "sigmoid",
    "A straight line with its ends cut off. It agrees at 0, but beyond its corners it is flat, "
    "and a flat curve gives no gradient.",
)
def straight_line(x):
    return (0.5 + x / 4).clamp(0, 1)


@mistake(
    "sigmoid",
    "The values are right, but they are computed outside the graph, so no gradient comes back to "
    "x.",
)
def outside_the_graph(x):
    return 1 / (1 + torch.exp(-x.detach()))


@mistake(
    "sigmoid",
    "This normalises the values against each other, so that they add up to 1. Each element is "
    "squeezed on its own, whatever its neighbours are.",
)
def softmax(x):
    return torch.softmax(x, dim=0)


@mistake(
    "sigmoid",
    "x itself is flipped in place on the way, which changes the caller's tensor and which a "
    "tracked leaf refuses. A method whose name ends in an underscore changes what it is called "
    "on.",
    crashes=True,
)
def flips_its_argument(x):
    return 1 / (1 + x.neg_().exp())


@mistake(
    "mnist_loss",
    "The two cases are swapped: a perfect prediction costs the most. Where the target is 1, what "
    "counts is how much is missing to 1.",
)
def where_swapped(predictions, targets):
    predictions = predictions.sigmoid()
    return torch.where(targets == 1, predictions, 1 - predictions).mean()


@mistake(
    "mnist_loss",
    "The raw outputs are compared with the targets: an output of 5 for a three would be punished "
    "for being sure. Squeeze them into 0..1 first.",
)
def no_sigmoid(predictions, targets):
    return torch.where(targets == 1, 1 - predictions, predictions).mean()


@mistake(
    "mnist_loss",
    "The outputs are squeezed twice: all predictions end up between 0.5 and 0.73, and a sure "
    "seven is out of reach.",
)
def sigmoid_twice(predictions, targets):
    predictions = predictions.sigmoid().sigmoid()
    return torch.where(targets == 1, 1 - predictions, predictions).mean()


@mistake(
    "mnist_loss",
    "This counts wrong answers. A count moves in jumps and has no slope, so no step follows from "
    "it; the loss has to feel every small change of a prediction.",
)
def accuracy_as_loss(predictions, targets):
    return ((predictions > 0) != (targets == 1)).float().mean()


@mistake(
    "mnist_loss",
    "The distances are added up, so the loss, and every step, grows with the size of the batch. "
    "The mean does not.",
)
def sum_for_mean(predictions, targets):
    predictions = predictions.sigmoid()
    return torch.where(targets == 1, 1 - predictions, predictions).sum()


@mistake("mnist_loss", "This is the squared distance. Here it is the distance itself.")
def squared(predictions, targets):
    return ((predictions.sigmoid() - targets) ** 2).mean()


@mistake(
    "mnist_loss",
    "This is cross-entropy, the loss of a later exercise: it takes the logarithm. Here it is the "
    "plain distance.",
)
def cross_entropy(predictions, targets):
    share = predictions.sigmoid()
    return -torch.where(targets == 1, share, 1 - share).log().mean()


@mistake("mnist_loss", "One distance a row comes back; the loss of a batch is one number.")
def no_mean(predictions, targets):
    predictions = predictions.sigmoid()
    return torch.where(targets == 1, 1 - predictions, predictions)


@mistake(
    "mnist_loss",
    "The value is right, but it left the graph: nothing can be learned from a plain number.",
)
def outside_of_the_graph(predictions, targets):
    return torch.tensor((predictions.sigmoid() - targets).abs().mean().item())


@mistake(
    "mnist_loss",
    "Distances with opposite signs cancel here: one prediction too high makes up for one too low.",
)
def signed_distance(predictions, targets):
    return (predictions.sigmoid() - targets).mean()


@mistake(
    "calc_grad",
    "A model is any function of a batch here: it need not have a zero_grad. Nor is clearing this "
    "function's work: a backward pass adds, and whoever called decides when to start from zero.",
    crashes=True,
)
def clears_the_model(xb, yb, model, loss_func):
    model.zero_grad()
    loss_func(model(xb), yb).backward()


@mistake(
    "calc_grad",
    "Predictions and targets are passed in the wrong order: the loss takes the predictions first.",
)
def arguments_swapped(xb, yb, model, loss_func):
    loss_func(yb, model(xb)).backward()


@mistake(
    "calc_grad",
    "The loss is fixed here. The function gets loss_func from outside and has to use that one.",
)
def own_loss(xb, yb, model, loss_func):
    mnist_loss(model(xb), yb).backward()


@mistake(
    "calc_grad",
    "The loss is computed and then dropped: without backward there is no gradient.",
)
def no_backward(xb, yb, model, loss_func):
    preds = model(xb)
    return loss_func(preds, yb)


@mistake("calc_grad", "Two backward passes: each adds its gradient, so twice too much is left.")
def backward_twice(xb, yb, model, loss_func):
    loss = loss_func(model(xb), yb)
    loss.backward(retain_graph=True)
    loss.backward()


@mistake(
    "calc_grad",
    "The model runs once to predict and once more for the loss. One forward pass is enough; a "
    "second one costs as much again and, with a model that draws numbers, gives other "
    "predictions.",
)
def predicts_twice(xb, yb, model, loss_func):
    model(xb)
    loss_func(model(xb), yb).backward()


@mistake(
    "calc_grad",
    "The loss is divided by the size of the batch. How it adds up over the batch is the loss's "
    "own affair; here a mean is taken of a mean, and every step becomes too short.",
)
def divided_by_batch_size(xb, yb, model, loss_func):
    (loss_func(model(xb), yb) / len(xb)).backward()


@mistake(
    "batch_accuracy",
    "0.5 is the boundary for numbers that went through the sigmoid. These are raw outputs; the "
    "sigmoid is 0.5 where the raw output is 0.",
)
def half_as_boundary(preds, targets):
    return ((preds > 0.5) == (targets == 1)).float().mean()


@mistake(
    "batch_accuracy",
    "A sigmoid is always above 0, so everything is called a three. Use the boundary that belongs "
    "to the numbers that you compare.",
)
def sigmoid_above_zero(preds, targets):
    return ((preds.sigmoid() > 0) == (targets == 1)).float().mean()


@mistake("batch_accuracy", "This is the share of wrong answers.")
def error_rate(preds, targets):
    return ((preds > 0) != (targets == 1)).float().mean()


@mistake("batch_accuracy", "This is the number of right answers, not their share of all answers.")
def a_count(preds, targets):
    return ((preds > 0) == (targets == 1)).float().sum()


@mistake(
    "batch_accuracy",
    "Answers of shape (N,) against targets of shape (N, 1) stretch to a table of N × N "
    "comparisons, each answer with every target. Compare like with like.",
)
def every_answer_with_every_target(preds, targets):
    return ((preds > 0).squeeze(1) == (targets == 1)).float().mean()


@mistake(
    "batch_accuracy",
    "With one column the largest entry of a row always stands in column 0, so this never says "
    "three. argmax needs one column a class.",
)
def argmax_of_one_column(preds, targets):
    return (preds.argmax(dim=1, keepdim=True) == targets).float().mean()


@mistake(
    "batch_accuracy",
    "A Python number comes back where a scalar tensor is asked for: the mean without item.",
)
def python_float(preds, targets):
    return ((preds > 0) == (targets == 1)).float().mean().item()


@mistake(
    "batch_accuracy",
    "This is how close the sigmoid comes to the target, a soft score: the loss turned over. An "
    "answer is right or wrong, however sure it is.",
)
def soft_score(preds, targets):
    return 1 - (preds.sigmoid() - targets).abs().mean()


@mistake(
    "make_batches",
    "The batches come in the order of the data. Sorted digits then give batches of one kind, and "
    "the model swings from one answer to the other.",
)
def not_shuffled(x, y, batch_size):
    return list(zip(x.split(batch_size), y.split(batch_size), strict=True))


@mistake(
    "make_batches",
    "The items that are left over after the last full batch are dropped. They come as a shorter "
    "batch.",
)
def drops_the_rest(x, y, batch_size):
    order = torch.randperm(len(x))
    full = len(x) // batch_size * batch_size
    return [(x[rows], y[rows]) for rows in order[:full].split(batch_size)]


@mistake(
    "make_batches",
    "x and y are shuffled each in an order of its own, so most images get the label of another. "
    "One order has to serve both.",
)
def two_orders(x, y, batch_size):
    x, y = x[torch.randperm(len(x))], y[torch.randperm(len(y))]
    return list(zip(x.split(batch_size), y.split(batch_size), strict=True))


@mistake("make_batches", "Only the images are shuffled; the labels stay where they were.")
def labels_left_behind(x, y, batch_size):
    x = x[torch.randperm(len(x))]
    return list(zip(x.split(batch_size), y.split(batch_size), strict=True))


@mistake(
    "make_batches",
    "Row numbers are drawn independently, so some items come twice and others not at all. An "
    "epoch sees every item once.",
)
def with_replacement(x, y, batch_size):
    rows = torch.randint(len(x), (len(x),))
    return [(x[part], y[part]) for part in rows.split(batch_size)]


@mistake(
    "make_batches",
    "A fixed seed deals the same order at every call, so all epochs are the same.",
)
def always_the_same_order(x, y, batch_size):
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return [(x[rows], y[rows]) for rows in order.split(batch_size)]


@mistake(
    "make_batches",
    "Items are shuffled within each batch, but each batch still holds neighbours. Shuffle before "
    "cutting.",
)
def shuffles_within_batches(x, y, batch_size):
    parts = torch.arange(len(x)).split(batch_size)
    parts = [part[torch.randperm(len(part))] for part in parts]
    return [(x[part], y[part]) for part in parts]


@mistake(
    "make_batches",
    "A zip can be walked through once and has no length. A list of batches is asked for.",
)
def a_zip(x, y, batch_size):
    order = torch.randperm(len(x))
    return zip(x[order].split(batch_size), y[order].split(batch_size), strict=True)


@mistake(
    "make_batches",
    "batch_size is read as the number of batches. It is the number of items in one.",
)
def size_as_number_of_batches(x, y, batch_size):
    order = torch.randperm(len(x))
    return [(x[rows], y[rows]) for rows in order.chunk(batch_size)]


@mistake(
    "train_epoch",
    "Only the first parameter moves. The bias has a gradient too: step every one of params.",
)
def bias_not_stepped(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        params[0].data -= lr * params[0].grad
        for p in params:
            p.grad = None


@mistake(
    "train_epoch",
    "Gradients are never cleared, so each step also repeats all the earlier ones.",
)
def never_zeroed(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            p.data -= lr * p.grad


@mistake(
    "train_epoch",
    "Gradients are cleared once an epoch. Within it each step still repeats the earlier ones.",
)
def zeroed_once_an_epoch(model, lr, params, dl):
    for p in params:
        p.grad = None
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            p.data -= lr * p.grad


@mistake(
    "train_epoch",
    "Only the first parameter's gradient is cleared; the bias piles up its own.",
)
def only_the_first_is_zeroed(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            p.data -= lr * p.grad
        params[0].grad = None


@mistake("train_epoch", "The steps go uphill: the gradient points to where the loss grows.")
def uphill(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            p.data += lr * p.grad
            p.grad = None


@mistake("train_epoch", "The learning rate is never used: every step is the bare gradient.")
def lr_ignored(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            p.data -= p.grad
            p.grad = None


@mistake(
    "train_epoch",
    "One step at the end of the epoch, with the gradients of all batches added up. Each batch "
    "gets its own step, and the next batch sees its result.",
)
def one_step_an_epoch(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
    for p in params:
        p.data -= lr * p.grad
        p.grad = None


@mistake(
    "train_epoch",
    "After this the model's own parameters are where they were. That happens when a step makes new "
    "tensors under the old names, and also when the gradient is cleared before it is used.",
)
def rebinds(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            grad, p.grad = p.grad, None
            p = (p - lr * grad).detach()


@mistake(
    "train_epoch",
    "The step is recorded in the graph, and torch refuses to change a tracked leaf in place while"
    " it records. A step is no part of the computation that is differentiated.",
    crashes=True,
)
def step_inside_the_graph(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            p -= lr * p.grad
            p.grad = None


@mistake("train_epoch", "A return or break inside the loop: only the first batch is used.")
def first_batch_only(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            p.data -= lr * p.grad
            p.grad = None
        return


@mistake(
    "train_epoch",
    "The parameters are stepped right, and then tracking is switched off: after this no batch can"
    " teach them anything.",
    crashes=True,
)
def stops_tracking(model, lr, params, dl):
    Reference(model, lr, params, dl)
    for p in params:
        p.requires_grad_(False)


@mistake(
    "validate_epoch",
    "The mean of the batches' shares: an item in a short last batch counts for more than the "
    "others. Count right answers over all items.",
)
def mean_of_means(model, dl):
    shares = [batch_accuracy(model(xb), yb) for xb, yb in dl]
    return torch.stack(shares).mean().item()


@mistake("validate_epoch", "This is the accuracy of the last batch alone.")
def last_batch_only(model, dl):
    for xb, yb in dl:
        share = batch_accuracy(model(xb), yb).item()
    return share


@mistake(
    "validate_epoch",
    "A return inside the loop: this is the accuracy of the first batch alone.",
)
def only_the_first_batch(model, dl):
    for xb, yb in dl:
        return batch_accuracy(model(xb), yb).item()


@mistake(
    "validate_epoch",
    "All batches are taken to be as long as the first one, which a short last batch is not.",
)
def all_as_long_as_the_first(model, dl):
    size = len(dl[0][0])
    right = sum(batch_accuracy(model(xb), yb).item() * size for xb, yb in dl)
    return right / (size * len(dl) - size + len(dl[-1][0]))


@mistake("validate_epoch", "A tensor comes back where a Python float is asked for.")
def a_tensor(model, dl):
    right = sum(batch_accuracy(model(xb), yb) * len(xb) for xb, yb in dl)
    return right / sum(len(xb) for xb, _ in dl)


@mistake("validate_epoch", "This is the number of right answers: divide by the number of items.")
def number_of_right_answers(model, dl):
    return sum(batch_accuracy(model(xb), yb).item() * len(xb) for xb, yb in dl)


@mistake(
    "validate_epoch",
    "This is the mean loss. The accuracy asks only whether each answer is right.",
)
def mean_loss(model, dl):
    total = sum(mnist_loss(model(xb), yb).item() * len(xb) for xb, yb in dl)
    return total / sum(len(xb) for xb, _ in dl)


@mistake(
    "validate_epoch",
    "The sigmoid comes before batch_accuracy, which takes raw outputs: everything lies above 0 "
    "then, and everything is a three.",
)
def squeezed_before(model, dl):
    right = sum(batch_accuracy(sigmoid(model(xb)), yb).item() * len(xb) for xb, yb in dl)
    return right / sum(len(xb) for xb, _ in dl)


@mistake(
    "validate_epoch",
    "A backward pass while measuring: gradients of validation items are added to the parameters, "
    "and the next training step follows them.",
)
def leaves_gradients(model, dl):
    for xb, yb in dl:
        preds = model(xb)
        if preds.requires_grad:
            mnist_loss(preds, yb).backward()
    return Reference(model, dl)


@mistake("validate_epoch", "The model is never asked: the images are judged as they are.")
def model_not_asked(model, dl):
    right = sum(batch_accuracy(xb, yb).item() * len(xb) for xb, yb in dl)
    return right / sum(len(xb) for xb, _ in dl)


@mistake(
    "fit",
    "The batches are made once, before the loop: every epoch sees the same order. Deal anew in "
    "each.",
)
def shuffled_once(model, params, train, valid, epochs, lr, batch_size):
    batches, accuracies = make_batches(*train, batch_size), []
    for _ in range(epochs):
        train_epoch(model, lr, params, batches)
        accuracies.append(validate_epoch(model, [valid]))
    return accuracies


@mistake(
    "fit",
    "The training data is cut in the order in which it came, sorted: first all threes, then all "
    "sevens. Shuffle it in every epoch.",
)
def never_shuffled(model, params, train, valid, epochs, lr, batch_size):
    x, y = train
    batches, accuracies = list(zip(x.split(batch_size), y.split(batch_size), strict=True)), []
    for _ in range(epochs):
        train_epoch(model, lr, params, batches)
        accuracies.append(validate_epoch(model, [valid]))
    return accuracies


@mistake(
    "fit",
    "This measures on the data that it trained on, and tells nothing about digits never seen.",
)
def measures_on_training_data(model, params, train, valid, epochs, lr, batch_size):
    accuracies = []
    for _ in range(epochs):
        train_epoch(model, lr, params, make_batches(*train, batch_size))
        accuracies.append(validate_epoch(model, [train]))
    return accuracies


@mistake(
    "fit",
    "The model is measured before it is trained, so each accuracy is that of the epoch before.",
)
def measures_before_training(model, params, train, valid, epochs, lr, batch_size):
    accuracies = []
    for _ in range(epochs):
        accuracies.append(validate_epoch(model, [valid]))
        train_epoch(model, lr, params, make_batches(*train, batch_size))
    return accuracies


@mistake("fit", "Only the last accuracy comes back; one for each epoch is asked for, in a list.")
def only_the_last_accuracy(model, params, train, valid, epochs, lr, batch_size):
    for _ in range(epochs):
        train_epoch(model, lr, params, make_batches(*train, batch_size))
        accuracy = validate_epoch(model, [valid])
    return accuracy


@mistake("fit", "The whole training set is one batch: one step an epoch, whatever batch_size says.")
def one_large_batch(model, params, train, valid, epochs, lr, batch_size):
    accuracies = []
    for _ in range(epochs):
        train_epoch(model, lr, params, make_batches(*train, len(train[0])))
        accuracies.append(validate_epoch(model, [valid]))
    return accuracies


@mistake("fit", "One epoch too few: a range that starts at 1 ends too early.")
def one_epoch_short(model, params, train, valid, epochs, lr, batch_size):
    accuracies = []
    for _ in range(1, epochs):
        train_epoch(model, lr, params, make_batches(*train, batch_size))
        accuracies.append(validate_epoch(model, [valid]))
    return accuracies


@mistake(
    "fit",
    "The validation data is trained on as well. Then nothing is left that the model has not seen,"
    " and its accuracy says nothing.",
)
def trains_on_validation_data(model, params, train, valid, epochs, lr, batch_size):
    accuracies = []
    for _ in range(epochs):
        train_epoch(model, lr, params, make_batches(*train, batch_size))
        train_epoch(model, lr, params, [valid])
        accuracies.append(validate_epoch(model, [valid]))
    return accuracies


@mistake(
    "fit",
    "The parameters are drawn anew in every epoch: what the epochs before had learned is lost.",
)
def starts_over_every_epoch(model, params, train, valid, epochs, lr, batch_size):
    accuracies = []
    for _ in range(epochs):
        for p in params:
            p.data = torch.randn_like(p)
        train_epoch(model, lr, params, make_batches(*train, batch_size))
        accuracies.append(validate_epoch(model, [valid]))
    return accuracies
