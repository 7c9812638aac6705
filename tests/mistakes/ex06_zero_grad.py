"""Wrong answers to exercise 06, each with what its author should read."""

import torch

from grader.bank import mistake


@mistake(
    "zero_grads",
    "Only the first parameter loses its gradient; the others keep adding up. How many parameters "
    "are there in the list?",
)
def only_the_first(params):
    params[0].grad = None


@mistake(
    "zero_grads",
    "This sets the parameters themselves to zero and forgets what they have learned. What has to "
    "go is the gradient that hangs on each of them.",
)
def zeroes_the_values(params):
    with torch.no_grad():
        for p in params:
            p.zero_()


@mistake(
    "zero_grads",
    "This switches the tracking off. The old gradients are still there, and no new ones will come: "
    "a frozen parameter is another thing than a cleared one.",
)
def switches_tracking_off(params):
    for p in params:
        p.requires_grad_(False)


@mistake(
    "zero_grads",
    "The gradients are as they were. A name that is bound to something new changes the name only; "
    "look at where the parameter itself keeps its gradient.",
)
def binds_a_name(params):
    for p in params:
        grad = p.grad
        if grad is not None:
            grad = torch.zeros_like(grad)


@mistake(
    "zero_grads",
    "Zero times infinity, or times nan, is nan. Once a gradient has overflowed, scaling it never "
    "makes it clean again.",
)
def multiplies_by_zero(params):
    for p in params:
        if p.grad is not None:
            p.grad *= 0


@mistake(
    "zero_grads",
    "A parameter that no backward pass has reached yet has None for a gradient, and None has no "
    "methods. Think of the very first call of a training.",
    crashes=True,
)
def expects_a_gradient(params):
    for p in params:
        p.grad.zero_()


@mistake(
    "zero_grads",
    "The loop ends at the first parameter without a gradient, and those behind it keep theirs. "
    "Having nothing to do for one of them is no reason to leave the others.",
)
def leaves_at_the_first_without(params):
    for p in params:
        if p.grad is None:
            return
        p.grad.zero_()


@mistake(
    "zero_grads",
    "The gradients are cleared, but the parameters are emptied along with them. Training would "
    "start from zero at every step.",
)
def zeroes_both(params):
    for p in params:
        p.data = torch.zeros_like(p)
        p.grad = None


@mistake(
    "gradient_after",
    "This is what one pass leaves, whatever n is: the gradient is cleared on the way. Here the "
    "passes are meant to add up.",
)
def cleared_in_between(f, x, n):
    leaf = x.detach().clone().requires_grad_()
    for _ in range(n):
        leaf.grad = None
        f(leaf).backward()
    return leaf.grad


@mistake(
    "gradient_after",
    "One backward pass too many: count the passes before the loop as well as those in it.",
)
def one_pass_too_many(f, x, n):
    leaf = x.detach().clone().requires_grad_()
    f(leaf).backward()
    for _ in range(n):
        f(leaf).backward()
    return leaf.grad


@mistake(
    "gradient_after",
    "One backward pass too few; with n = 1 there is none at all and .grad is still None. How often "
    "does a range from 1 to n turn?",
)
def one_pass_too_few(f, x, n):
    leaf = x.detach().clone().requires_grad_()
    for _ in range(1, n):
        f(leaf).backward()
    return leaf.grad


@mistake(
    "gradient_after",
    "This works on the caller's own tensor: it starts to track it and adds to the gradient that "
    "was already there. Give the passes a leaf of their own.",
)
def uses_the_callers_tensor(f, x, n):
    x.requires_grad_()
    for _ in range(n):
        f(x).backward()
    return x.grad


@mistake(
    "gradient_after",
    "A clone of a tracked tensor is a result of it, not a leaf: the gradient flows on into the "
    "caller's x, and the clone has none.",
)
def clone_without_detach(f, x, n):
    leaf = x.clone().requires_grad_()
    for _ in range(n):
        f(leaf).backward()
    return leaf.grad


@mistake(
    "gradient_after",
    "The function is called once, and the second backward pass finds its graph used up. What has "
    "to be made again before each pass?",
    crashes=True,
)
def one_graph_for_all(f, x, n):
    leaf = x.detach().clone().requires_grad_()
    y = f(leaf)
    for _ in range(n):
        y.backward()
    return leaf.grad


@mistake(
    "gradient_after",
    "The results are summed and the sum is run backward in every turn, so the first pass counts n "
    "times, the second n − 1 times, and so on. Either the results are added up or the gradients "
    "are, not both.",
)
def sums_and_accumulates(f, x, n):
    leaf = x.detach().clone().requires_grad_()
    total = 0
    for _ in range(n):
        total = total + f(leaf)
        total.backward(retain_graph=True)
    return leaf.grad


@mistake(
    "gradient_after",
    "The leaf moves between the passes, so each gradient is taken at another place. All n of them "
    "belong to x.",
)
def descends_in_between(f, x, n):
    leaf = x.detach().clone().requires_grad_()
    for _ in range(n):
        f(leaf).backward()
        leaf.data -= 0.1 * leaf.grad
    return leaf.grad


@mistake(
    "gradient_after",
    "The way through Python numbers loses the dtype: double precision comes back as float32. Let "
    "the leaf be made from the tensor itself.",
)
def loses_the_dtype(f, x, n):
    leaf = torch.tensor(x.tolist(), requires_grad=True)
    for _ in range(n):
        f(leaf).backward()
    return leaf.grad


@mistake(
    "gradient_after",
    "The n gradients come back as a list. Asked for is one tensor: what is in .grad at the end.",
)
def a_list_of_gradients(f, x, n):
    gradients = []
    for _ in range(n):
        leaf = x.detach().clone().requires_grad_()
        f(leaf).backward()
        gradients.append(leaf.grad)
    return gradients


@mistake(
    "train_step",
    "The first step is right and the second is not: it is taken with the gradients of both calls, "
    "since nobody clears them.",
)
def never_cleared(params, loss_fn, lr):
    loss = loss_fn(params)
    loss.backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
    return loss.item()


@mistake(
    "train_step",
    "The parameters stay where they were. Either the gradients are cleared between backward and "
    "the step, so that there is nothing left to step with, or the result of the step goes into a "
    "new tensor and not into the parameter.",
)
def cleared_before_the_step(params, loss_fn, lr):
    loss = loss_fn(params)
    loss.backward()
    for p in params:
        p.grad.zero_()
        p.data -= lr * p.grad
    return loss.item()


@mistake(
    "train_step",
    "From the second call on, all parameters but the first step with a gradient that still holds "
    "the one before. Clear every one of them.",
)
def clears_only_the_first(params, loss_fn, lr):
    params[0].grad = None
    loss = loss_fn(params)
    loss.backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
    return loss.item()


@mistake(
    "train_step",
    "Only the first parameter takes the step; the others stay where they were.",
)
def steps_only_the_first(params, loss_fn, lr):
    loss = loss_fn(params)
    loss.backward()
    with torch.no_grad():
        params[0] -= lr * params[0].grad
    for p in params:
        p.grad = None
    return loss.item()


@mistake(
    "train_step",
    "The loss that comes back is that of the moved parameters, and it costs another call of "
    "loss_fn. Asked for is the loss before the step, which you have computed already.",
)
def loss_after_the_step(params, loss_fn, lr):
    Reference(params, loss_fn, lr)
    return loss_fn(params).item()


@mistake(
    "train_step",
    "loss_fn runs twice a step, once for the number and once for the gradient. One result serves "
    "both, and with a real model each call costs a whole forward pass.",
)
def calls_loss_fn_twice(params, loss_fn, lr):
    before = loss_fn(params).item()
    Reference(params, loss_fn, lr)
    return before


@mistake(
    "train_step",
    "The loss comes back as a tensor, and its graph with it. A loop that keeps the losses would "
    "keep every graph alive; a Python number is asked for.",
)
def returns_a_tensor(params, loss_fn, lr):
    for p in params:
        p.grad = None
    loss = loss_fn(params)
    loss.backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
    return loss


@mistake(
    "train_step",
    "The step goes uphill: the gradient points to where the loss grows, and you want the opposite.",
)
def uphill(params, loss_fn, lr):
    return Reference(params, loss_fn, -lr)


@mistake(
    "train_step",
    "The learning rate plays no part: the parameters move by the whole gradient.",
)
def ignores_lr(params, loss_fn, lr):
    return Reference(params, loss_fn, 1.0)


@mistake(
    "train_step",
    "The learning rate is applied twice, once to the loss or the gradient and once in the step.",
)
def applies_lr_twice(params, loss_fn, lr):
    return Reference(params, loss_fn, lr * lr)


@mistake(
    "train_step",
    "autograd refuses to change a leaf in place while it records. A step is no part of the "
    "function to differentiate, so nothing should be recorded there.",
    crashes=True,
)
def records_the_step(params, loss_fn, lr):
    loss = loss_fn(params)
    loss.backward()
    for p in params:
        p -= lr * p.grad
        p.grad = None
    return loss.item()


@mistake(
    "train_step",
    "To make the step possible, the tracking of the parameters is switched off and never on "
    "again: after one step they are frozen.",
)
def freezes_the_parameters(params, loss_fn, lr):
    loss = loss_fn(params)
    loss.backward()
    for p in params:
        p.requires_grad_(False)
        p -= lr * p.grad
        p.grad = None
    return loss.item()


@mistake(
    "accumulate_step",
    "This is the mean of the micro batches' means, in which one item of a small batch weighs more "
    "than one of a large batch. Every item should weigh the same.",
)
def mean_of_means(params, micro_batches, loss_fn, lr):
    zero_grads(params)
    for xb, yb in micro_batches:
        (loss_fn(params, xb, yb) / len(micro_batches)).backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "accumulate_step",
    "The means of the micro batches are added up unscaled, so the step grows with their number. "
    "What does each of them contribute to the mean over all items?",
)
def sum_of_means(params, micro_batches, loss_fn, lr):
    zero_grads(params)
    for xb, yb in micro_batches:
        loss_fn(params, xb, yb).backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "accumulate_step",
    "Each mean is multiplied back into a sum, which is half of the way: the whole is then the sum "
    "over all items, and the loss of the joined batch is their mean.",
)
def sum_over_items(params, micro_batches, loss_fn, lr):
    zero_grads(params)
    for xb, yb in micro_batches:
        (loss_fn(params, xb, yb) * len(xb)).backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "accumulate_step",
    "There is a step after every micro batch, so the later ones see parameters that have moved. "
    "Gather first, then step once.",
)
def steps_after_each(params, micro_batches, loss_fn, lr):
    total = sum(len(xb) for xb, _ in micro_batches)
    for xb, yb in micro_batches:
        zero_grads(params)
        (loss_fn(params, xb, yb) * len(xb) / total).backward()
        with torch.no_grad():
            for p in params:
                p -= lr * p.grad


@mistake(
    "accumulate_step",
    "The gradients are cleared for every micro batch, so the step is taken with the last one's "
    "alone. Where does the gathering begin?",
)
def cleared_in_the_loop(params, micro_batches, loss_fn, lr):
    total = sum(len(xb) for xb, _ in micro_batches)
    for xb, yb in micro_batches:
        zero_grads(params)
        (loss_fn(params, xb, yb) * len(xb) / total).backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "accumulate_step",
    "The step is right, but it joins everything into the one large batch that was too large for "
    "the memory. loss_fn should see one micro batch at a time.",
)
def joins_everything(params, micro_batches, loss_fn, lr):
    zero_grads(params)
    xs = torch.cat([xb for xb, _ in micro_batches])
    ys = torch.cat([yb for _, yb in micro_batches])
    loss_fn(params, xs, ys).backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "accumulate_step",
    "The number of items is worked out from the first micro batch, as if all were as large. Count "
    "the items of every one.",
)
def all_as_large_as_the_first(params, micro_batches, loss_fn, lr):
    zero_grads(params)
    total = len(micro_batches[0][0]) * len(micro_batches)
    for xb, yb in micro_batches:
        (loss_fn(params, xb, yb) * len(xb) / total).backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "accumulate_step",
    "Within one call adding up is right; from one call to the next it is not. The second step "
    "still holds the gradients of the first.",
)
def never_cleared_between_calls(params, micro_batches, loss_fn, lr):
    total = sum(len(xb) for xb, _ in micro_batches)
    for xb, yb in micro_batches:
        (loss_fn(params, xb, yb) * len(xb) / total).backward()
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "accumulate_step",
    "The last micro batch is left out, as some loaders do with a short one. Its items belong to "
    "the batch like all others.",
)
def leaves_out_the_last(params, micro_batches, loss_fn, lr):
    return Reference(params, micro_batches[:-1] or micro_batches, loss_fn, lr)


@mistake(
    "accumulate_step",
    "The gathered gradients are cleared before they are used, or the step goes into new tensors: "
    "the parameters stay where they were.",
)
def clears_before_the_step(params, micro_batches, loss_fn, lr):
    Reference(params, micro_batches, loss_fn, 0.0)


@mistake(
    "accumulate_step",
    "The step is taken inside the loop while the gradients go on adding up, so the first micro "
    "batch is stepped with again and again. One step, after the loop, is enough.",
)
def steps_while_gathering(params, micro_batches, loss_fn, lr):
    total = sum(len(xb) for xb, _ in micro_batches)
    zero_grads(params)
    for xb, yb in micro_batches:
        (loss_fn(params, xb, yb) * len(xb) / total).backward()
        with torch.no_grad():
            for p in params:
                p -= lr * p.grad
