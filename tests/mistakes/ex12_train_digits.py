"""Wrong answers to exercise 12, each with what its author should read."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from grader.bank import mistake


@mistake(
    "make_model",
    "The model ends in a softmax, so it gives probabilities, and the cross-entropy will squash "
    "them a second time: gradients become tiny and training crawls. Where does the softmax "
    "live?",
)
def softmax_at_the_end():
    return nn.Sequential(Reference(), nn.Softmax(dim=1))


@mistake(
    "make_model",
    "The last ReLU cuts every score below zero, and with it the gradient of every digit that "
    "the model rightly doubts. Which layer should be the last one?",
)
def relu_at_the_end():
    return nn.Sequential(Reference(), nn.ReLU())


@mistake(
    "make_model",
    "This is one linear layer: every pixel has a weight of its own, and a digit that is moved "
    "is a new picture. The lesson's layers slide a small window over the whole picture.",
)
def linear_layer_only():
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))


@mistake(
    "make_model",
    "Nothing bends between the convolutions, and a chain of linear layers is one linear layer. "
    "What stands after each of them in the lesson's model?",
)
def no_activations():
    return nn.Sequential(*[layer for layer in Reference() if not isinstance(layer, nn.ReLU)])


@mistake(
    "make_model",
    "This hidden layer makes the model many times as large as the task needs. Halve the picture "
    "a few times before its numbers meet a linear layer, and count the parameters.",
)
def far_too_many_parameters():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 28 * 28, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


@mistake(
    "make_model",
    "The scores still have a height and a width of 1. One row of ten numbers a picture is asked "
    "for: what turns the last little pictures into a row?",
)
def scores_that_are_not_flat():
    return nn.Sequential(*list(Reference())[:-2], nn.Conv2d(64, 10, 4))


@mistake(
    "make_model",
    "In evaluation mode a picture's scores depend on the pictures beside it, since the "
    "normalisation keeps no running averages. Let it track them, as it does unless told "
    "otherwise.",
)
def normalised_by_its_neighbours():
    model = Reference()
    for layer in model:
        if isinstance(layer, nn.BatchNorm2d):
            layer.track_running_stats = False
            layer.running_mean = layer.running_var = None
    return model


@mistake(
    "make_model",
    "Every call hands out the same model, so a second training goes on where the first one "
    "ended. Make the layers anew in each call.",
)
def one_model_for_all():
    if not hasattr(make_model, "model"):
        make_model.model = Reference()
    return make_model.model


@mistake(
    "make_model",
    "Setting the seed inside makes every model start from the same weights, and takes the seed "
    "out of the caller's hands. Whoever wants to repeat a run sets it outside.",
)
def seed_set_inside():
    torch.manual_seed(0)
    return Reference()


@mistake(
    "make_model",
    "The model goes to a device that is written into the code, and a machine without it stops "
    "here. Leave the model where it is made: whoever trains it moves it to where the batches "
    "are.",
    crashes=True,
)
def sent_to_cuda():
    return Reference().to("cuda")


@mistake(
    "BasicOptim",
    "model.parameters() is a generator: once walked through, it is empty, so from the second "
    "call on nothing happens. Keep the parameters in something that can be walked through "
    "again.",
)
class keeps_the_generator(Reference):
    def __init__(self, params, lr):
        self.params, self.lr = params, lr


@mistake(
    "BasicOptim",
    "The step goes up the slope. The gradient points to where the loss grows.",
)
class steps_uphill(Reference):
    def __init__(self, params, lr):
        super().__init__(params, -lr)


@mistake(
    "BasicOptim",
    "The learning rate that was given plays no part in the step. It says how far to go along "
    "the gradient.",
)
class ignores_the_rate(Reference):
    def __init__(self, params, lr):
        super().__init__(params, 0.01)


@mistake(
    "BasicOptim",
    "Not every parameter has a gradient: one that took no part in the loss has None, and None "
    "cannot be multiplied. Leave such a parameter where it is.",
    crashes=True,
)
class stumbles_over_none(Reference):
    def step(self):
        with torch.no_grad():
            for p in self.params:
                p -= self.lr * p.grad


@mistake(
    "BasicOptim",
    "The step itself is being recorded, and autograd does not allow a recorded change of a leaf "
    "in place. The update is no part of the model: take it out of the graph.",
    crashes=True,
)
class step_on_the_record(Reference):
    def step(self):
        for p in self.params:
            if p.grad is not None:
                p -= self.lr * p.grad


@mistake(
    "BasicOptim",
    "The sum makes a new tensor and gives it the loop's name; the model keeps the old one. "
    "Change the parameter itself.",
)
class rebinds_the_name(Reference):
    def step(self):
        with torch.no_grad():
            for p in self.params:
                if p.grad is not None:
                    p = p - self.lr * p.grad


@mistake(
    "BasicOptim",
    "Only the first parameter moves. Every one of them needs its step.",
)
class moves_the_first_only(Reference):
    def step(self):
        with torch.no_grad():
            for p in self.params:
                if p.grad is not None:
                    p -= self.lr * p.grad
                    break


@mistake(
    "BasicOptim",
    "The old gradients survive zero_grad, and the next backward pass adds to them.",
)
class clears_nothing(Reference):
    def zero_grad(self):
        for p in self.params:
            grad = p.grad
            grad = None  # noqa: F841


@mistake(
    "BasicOptim",
    "zero_grad switches tracking off and leaves the old gradient where it was; from here on "
    "nothing is learned. It is the gradient that has to go, not the wish for one.",
)
class switches_tracking_off(Reference):
    def zero_grad(self):
        for p in self.params:
            p.requires_grad_(False)


@mistake(
    "BasicOptim",
    "zero_grad sets the parameters themselves to zero and wipes out what was learned. Only "
    "their gradients should be cleared.",
)
class clears_the_parameters(Reference):
    def zero_grad(self):
        with torch.no_grad():
            for p in self.params:
                p.zero_()


@mistake(
    "BasicOptim",
    "zero_grad asks a gradient that is None to zero itself. A parameter without a gradient is "
    "clean already.",
    crashes=True,
)
class zeroes_none(Reference):
    def zero_grad(self):
        for p in self.params:
            p.grad.zero_()


@mistake(
    "BasicOptim",
    "step() clears the gradients as it goes. Clearing is the work of zero_grad(): someone may "
    "want to look at the gradients after the step.",
)
class step_clears_too(Reference):
    def step(self):
        super().step()
        self.zero_grad()


@mistake(
    "train_epoch",
    "The gradients are never cleared, so each step follows the sum of all batches so far. Which "
    "method of the optimiser is missing?",
)
def never_zeroed(model, dl, opt, loss_func):
    model.train()
    total, count = 0.0, 0
    for xb, yb in dl:
        loss = loss_func(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
        count += len(xb)
    return total / count


@mistake(
    "train_epoch",
    "The gradients are cleared between the backward pass and the step, so the step finds "
    "nothing to follow. Clear before the backward pass or after the step.",
)
def zeroed_before_the_step(model, dl, opt, loss_func):
    model.train()
    total, count = 0.0, 0
    for xb, yb in dl:
        loss = loss_func(model(xb), yb)
        loss.backward()
        opt.zero_grad()
        opt.step()
        total += loss.item() * len(xb)
        count += len(xb)
    return total / count


@mistake(
    "train_epoch",
    "This is the mean of the batches' means, in which an item of a short batch counts for more "
    "than one of a long batch. Weigh each loss with its batch's size.",
)
def mean_of_means(model, dl, opt, loss_func):
    model.train()
    losses = []
    for xb, yb in dl:
        loss = loss_func(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@mistake(
    "train_epoch",
    "This is the sum over all items. Their mean is asked for: how many items were there?",
)
def sum_of_losses(model, dl, opt, loss_func):
    return Reference(model, dl, opt, loss_func) * sum(len(yb) for _, yb in dl)


@mistake(
    "train_epoch",
    "This is the loss of the last batch alone, which jumps about from epoch to epoch. Gather "
    "the losses of all batches.",
)
def last_loss_only(model, dl, opt, loss_func):
    model.train()
    for xb, yb in dl:
        loss = loss_func(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return loss.item()


@mistake(
    "train_epoch",
    "The result is a tensor, and with its graph it keeps every batch of the epoch in memory. "
    "Take the number out of each loss before you add it up.",
)
def loss_with_its_graph(model, dl, opt, loss_func):
    model.train()
    total, count = 0.0, 0
    for xb, yb in dl:
        loss = loss_func(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss * len(xb)
        count += len(xb)
    return total / count


@mistake(
    "train_epoch",
    "The model stays in the mode in which it came. After an evaluation that is evaluation mode, "
    "and its normalisation layers then measure nothing while it trains.",
)
def no_training_mode(model, dl, opt, loss_func):
    total, count = 0.0, 0
    for xb, yb in dl:
        loss = loss_func(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
        count += len(xb)
    return total / count


@mistake(
    "train_epoch",
    "The loss function that was given is never called; the cross-entropy is written into the loop.",
)
def a_loss_of_its_own(model, dl, opt, loss_func):
    return Reference(model, dl, opt, F.cross_entropy)


@mistake(
    "train_epoch",
    "The loss function gets the targets first and the predictions second. Many losses are not "
    "the same the other way round.",
)
def arguments_swapped(model, dl, opt, loss_func):
    return Reference(model, dl, opt, lambda predictions, targets: loss_func(targets, predictions))


@mistake(
    "train_epoch",
    "Each batch gets a fresh optimiser of the loop's own, and what the one that was given has "
    "learned about the gradients is lost. Use the one that came as an argument.",
)
def fresh_optimiser_each_batch(model, dl, opt, loss_func):
    lr = opt.param_groups[0]["lr"]
    total, count = 0.0, 0
    for xb, yb in dl:
        fresh = torch.optim.SGD(model.parameters(), lr=lr)
        total += Reference(model, [(xb, yb)], fresh, loss_func) * len(xb)
        count += len(xb)
    return total / count


@mistake(
    "train_epoch",
    "There is one step at the end of the epoch, for the gradients of all batches together. Step "
    "after each batch: that is what batches are for.",
)
def one_step_an_epoch(model, dl, opt, loss_func):
    model.train()
    total, count = 0.0, 0
    for xb, yb in dl:
        loss = loss_func(model(xb), yb)
        loss.backward()
        total += loss.item() * len(xb)
        count += len(xb)
    opt.step()
    opt.zero_grad()
    return total / count


@mistake(
    "train_epoch",
    "The return stands inside the loop, so the epoch ends with its first batch.",
)
def first_batch_only(model, dl, opt, loss_func):
    for batch in dl:
        return Reference(model, [batch], opt, loss_func)


@mistake(
    "train_epoch",
    "The loss is measured a second time, after the step: twice the work, and another number "
    "than the one that the step followed. Keep the loss from before the step.",
)
def loss_after_the_step(model, dl, opt, loss_func):
    total, count = 0.0, 0
    for xb, yb in dl:
        Reference(model, [(xb, yb)], opt, loss_func)
        total += loss_func(model(xb), yb).item() * len(xb)
        count += len(xb)
    return total / count


@mistake(
    "train_epoch",
    "Under no_grad nothing is recorded, and the backward pass has nothing to walk back along. "
    "no_grad belongs to the evaluation.",
    crashes=True,
)
def training_without_a_graph(model, dl, opt, loss_func):
    with torch.no_grad():
        return Reference(model, dl, opt, loss_func)


@mistake(
    "evaluate",
    "The model is evaluated in the mode in which it came. In training mode dropout throws "
    "scores away, and normalisation measures the very data that it is judged on.",
)
def no_evaluation_mode(model, dl):
    right, count = 0, 0
    with torch.no_grad():
        for xb, yb in dl:
            right += (model(xb).argmax(dim=1) == yb).sum().item()
            count += len(yb)
    return right / count


@mistake(
    "evaluate",
    "Every forward pass is recorded for a backward pass that never comes, which costs memory "
    "and time. Say that nothing should be recorded here.",
)
def graph_kept(model, dl):
    model.eval()
    right, count = 0, 0
    for xb, yb in dl:
        right += (model(xb).argmax(dim=1) == yb).sum().item()
        count += len(yb)
    return right / count


@mistake(
    "evaluate",
    "This is the accuracy of the last batch alone. Count over all batches before you divide.",
)
def last_batch_only(model, dl):
    model.eval()
    with torch.no_grad():
        for xb, yb in dl:
            accuracy = (model(xb).argmax(dim=1) == yb).float().mean().item()
    return accuracy


@mistake(
    "evaluate",
    "This is the mean of the batches' accuracies, in which an item of a short batch counts for "
    "more. Add up right answers and items, then divide once.",
)
def mean_of_accuracies(model, dl):
    accuracies = [Reference(model, [batch]) for batch in dl]
    return sum(accuracies) / len(accuracies)


@mistake(
    "evaluate",
    "This counts the right answers. The share of them is asked for.",
)
def count_of_right_answers(model, dl):
    return Reference(model, dl) * float(sum(len(yb) for _, yb in dl))


@mistake(
    "evaluate",
    "This is a percentage; a share between 0 and 1 is asked for.",
)
def percentage(model, dl):
    return 100 * Reference(model, dl)


@mistake(
    "evaluate",
    "The result is a tensor; a Python number is asked for. How does a tensor of one element "
    "hand out its value?",
)
def accuracy_as_a_tensor(model, dl):
    return torch.tensor(Reference(model, dl))


@mistake(
    "evaluate",
    "The largest score itself is compared with the label. What answers the question is where in "
    "the row it stands.",
)
def score_for_position(model, dl):
    model.eval()
    right, count = 0, 0
    with torch.no_grad():
        for xb, yb in dl:
            right += (model(xb).max(dim=1).values == yb).sum().item()
            count += len(yb)
    return right / count


@mistake(
    "evaluate",
    "The largest score is looked for down the columns, over the pictures of the batch. A row "
    "belongs to a picture: look along it.",
    crashes=True,
)
def argmax_over_the_pictures(model, dl):
    model.eval()
    right, count = 0, 0
    with torch.no_grad():
        for xb, yb in dl:
            right += (model(xb).argmax(dim=0) == yb).sum().item()
            count += len(yb)
    return right / count


@mistake(
    "evaluate",
    "This is the share of wrong answers.",
)
def error_rate(model, dl):
    return 1.0 - Reference(model, dl)


@mistake(
    "fit",
    "The model is trained on the validation batches, so nothing is left to judge it by. Which "
    "of the two loaders comes first in dls?",
)
def trains_on_the_validation(model, dls, epochs, lr):
    _, valid_dl = dls
    return Reference(model, (valid_dl, valid_dl), epochs, lr)


@mistake(
    "fit",
    "The accuracy is measured on the training batches, which the model may know by heart. "
    "Measure it on the other loader.",
)
def judged_on_the_training_data(model, dls, epochs, lr):
    train_dl, _ = dls
    return Reference(model, (train_dl, train_dl), epochs, lr)


@mistake(
    "fit",
    "The learning rate that was given is not used.",
)
def fit_with_a_rate_of_its_own(model, dls, epochs, lr):
    return Reference(model, dls, epochs, 0.1)


@mistake(
    "fit",
    "The accuracy of an epoch is measured before its training, so the history is one epoch "
    "late. Train first, then measure.",
)
def measured_before_training(model, dls, epochs, lr):
    train_dl, valid_dl = dls
    opt = BasicOptim(model.parameters(), lr)
    history = []
    for _ in range(epochs):
        accuracy = evaluate(model, valid_dl)
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": accuracy})
    return history


@mistake(
    "fit",
    "A copy of the model is trained, and the caller's model stays as it was. Train the model "
    "that was given.",
)
def trains_a_copy(model, dls, epochs, lr):
    return Reference(copy.deepcopy(model), dls, epochs, lr)


@mistake(
    "fit",
    "The scores go through a softmax before the cross-entropy, which takes the softmax itself: "
    "done twice, it flattens the loss and its slope. Give the raw scores to the loss.",
)
def softmax_twice(model, dls, epochs, lr):
    train_dl, valid_dl = dls
    opt = BasicOptim(model.parameters(), lr)

    def loss_func(scores, yb):
        return F.cross_entropy(scores.softmax(dim=1), yb)

    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, loss_func)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit",
    "nll_loss expects logarithms of probabilities and gets raw scores, so it can sink without "
    "end. The cross-entropy is the two together.",
)
def no_softmax_at_all(model, dls, epochs, lr):
    train_dl, valid_dl = dls
    opt = BasicOptim(model.parameters(), lr)
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.nll_loss)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit",
    "This is Adam, a modern optimiser, whose steps follow the gradient's history too. Plain "
    "descent is asked for here: the rate times the gradient.",
)
def adam_for_plain_descent(model, dls, epochs, lr):
    train_dl, valid_dl = dls
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit",
    "Only the last epoch is returned. One dict for each epoch, in a list, is asked for.",
)
def last_epoch_only(model, dls, epochs, lr):
    return Reference(model, dls, epochs, lr)[-1]


@mistake(
    "fit",
    "There is one epoch too many.",
)
def an_epoch_too_many(model, dls, epochs, lr):
    return Reference(model, dls, epochs + 1, lr)


@mistake(
    "fit",
    "Training mode is switched on once, before the first epoch; the evaluation after it "
    "switches it off for all that follow. Switch it on in each epoch.",
)
def training_mode_in_the_first_epoch_only(model, dls, epochs, lr):
    train_dl, valid_dl = dls
    opt = BasicOptim(model.parameters(), lr)
    history = []
    model.train()
    for _ in range(epochs):
        total, count = 0.0, 0
        for xb, yb in train_dl:
            loss = F.cross_entropy(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
            count += len(xb)
        history.append({"loss": total / count, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The rate is lr_max from the first batch to the last: there is no cycle. A schedule has to "
    "be made and stepped.",
)
def constant_rate(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The schedule is made and never stepped, so the rate stays at its low start. It has a step "
    "of its own, after each optimiser step.",
)
def schedule_never_stepped(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    torch.optim.lr_scheduler.OneCycleLR(opt, lr_max, epochs * len(train_dl))
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The schedule moves once an epoch, so all batches of an epoch share one rate. Step it after "
    "every batch, and tell it how many batches there will be.",
)
def schedule_stepped_once_an_epoch(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    cycle = torch.optim.lr_scheduler.OneCycleLR(opt, lr_max, epochs + 1)
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        cycle.step()
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "Each epoch makes an optimiser and a cycle of its own, so the rate climbs and sinks again "
    "in every epoch. One cycle spans the whole training.",
)
def one_cycle_an_epoch(model, dls, epochs=3, lr_max=0.01):
    history = []
    for _ in range(epochs):
        history += Reference(model, dls, 1, lr_max)
    return history


@mistake(
    "fit_one_cycle",
    "Every batch makes a new optimiser, which knows nothing of the gradients before it: the "
    "rate follows the cycle, but the memory that makes the optimiser modern is lost. Make it "
    "once.",
)
def fresh_adam_each_batch(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    guide = torch.optim.SGD(model.parameters(), lr=lr_max)
    cycle = torch.optim.lr_scheduler.OneCycleLR(guide, lr_max, epochs * len(train_dl) + 1)
    history = []
    for _ in range(epochs):
        total, count = 0.0, 0
        for xb, yb in train_dl:
            opt = torch.optim.AdamW(model.parameters(), lr=cycle.get_last_lr()[0])
            total += train_epoch(model, [(xb, yb)], opt, F.cross_entropy) * len(xb)
            count += len(xb)
            guide.zero_grad()
            guide.step()
            cycle.step()
        history.append({"loss": total / count, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The rate climbs to a number that is written into the code. lr_max says how high it should go.",
)
def lr_max_ignored(model, dls, epochs=3, lr_max=0.01):
    return Reference(model, dls, epochs, 0.01)


@mistake(
    "fit_one_cycle",
    "The schedule expects many more steps than there are batches, so the training ends while "
    "the rate is still climbing. What is the number of batches in all epochs?",
)
def cycle_far_too_long(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    cycle = torch.optim.lr_scheduler.OneCycleLR(opt, lr_max, 4 * epochs * len(train_dl))
    opt.register_step_post_hook(lambda *_: cycle.step())
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The schedule was told the steps of one epoch and is at its end when the second one begins. "
    "How many batches are there in the whole training?",
    crashes=True,
)
def cycle_too_short(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    cycle = torch.optim.lr_scheduler.OneCycleLR(opt, lr_max, len(train_dl))
    opt.register_step_post_hook(lambda *_: cycle.step())
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The rate starts at the top and only falls. The first gradients are the wildest: a one- "
    "cycle schedule climbs before it falls.",
)
def no_warm_up(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(opt, epochs * len(train_dl))
    opt.register_step_post_hook(lambda *_: fall.step())
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The rate climbs and stays high, so that the model never settles. The longer part of the "
    "cycle is the way down.",
)
def warm_up_only(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    climb = torch.optim.lr_scheduler.LinearLR(opt, 0.04, 1.0, epochs * len(train_dl))
    opt.register_step_post_hook(lambda *_: climb.step())
    history = []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The model is trained on the validation batches, so nothing is left to judge it by.",
)
def one_cycle_on_the_validation(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    return Reference(model, (list(valid_dl), valid_dl), epochs, lr_max)


@mistake(
    "fit_one_cycle",
    "The accuracy is measured on the training batches, which the model may know by heart.",
)
def one_cycle_judged_on_the_training_data(model, dls, epochs=3, lr_max=0.01):
    train_dl, _ = dls
    return Reference(model, (train_dl, train_dl), epochs, lr_max)


@mistake(
    "fit_one_cycle",
    "The scores go through a softmax before the cross-entropy, which takes the softmax itself. "
    "Give the raw scores to the loss.",
)
def one_cycle_with_softmax_twice(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    cycle = torch.optim.lr_scheduler.OneCycleLR(opt, lr_max, epochs * len(train_dl))
    opt.register_step_post_hook(lambda *_: cycle.step())
    history = []
    for _ in range(epochs):
        loss = train_epoch(
            model, train_dl, opt, lambda scores, yb: F.cross_entropy(scores.softmax(1), yb)
        )
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "Training mode is switched on once, before the first epoch; the evaluation after it "
    "switches it off for all that follow.",
)
def one_cycle_trains_in_evaluation_mode(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.AdamW(model.parameters(), lr=lr_max)
    cycle = torch.optim.lr_scheduler.OneCycleLR(opt, lr_max, epochs * len(train_dl))
    history = []
    model.train()
    for _ in range(epochs):
        total, count = 0.0, 0
        for xb, yb in train_dl:
            loss = F.cross_entropy(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            cycle.step()
            total += loss.item() * len(xb)
            count += len(xb)
        history.append({"loss": total / count, "accuracy": evaluate(model, valid_dl)})
    return history


@mistake(
    "fit_one_cycle",
    "The result has only the last epoch. One dict for each epoch, in a list, is asked for.",
)
def one_cycle_last_epoch_only(model, dls, epochs=3, lr_max=0.01):
    return Reference(model, dls, epochs, lr_max)[-1:]
