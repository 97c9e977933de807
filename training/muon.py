"""The optimiser of the hidden matrices and convolutions."""

import torch


class Muon:
    """Momentum whose update is made nearly orthogonal first (Muon, Jordan et al. 2024).

    Three Newton-Schulz steps with the coefficients of Polar Express (Amsel et al. 2025) do that. The update then gets the
    size of an AdamW step (Liu et al. 2025), so the learning rate is of the usual order. One step learns more than AdamW's
    and costs about a third of a batch of 32.
    """

    STEPS = (8.2872, -23.5959, 17.3004), (4.1071, -2.9478, 0.5448), (3.9487, -2.9089, 0.5518)

    def __init__(self, params, momentum=0.95, decay=0.01):
        self.params, self.momentum, self.decay = params, momentum, decay
        self.buffers = [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def step(self, lr):
        for p, b in zip(self.params, self.buffers):
            b.lerp_(p.grad, 1 - self.momentum)
            u = p.grad.lerp(b, self.momentum).reshape(len(p), -1)
            rows, columns = u.shape
            x = u.T if rows > columns else u
            x = (x / (x.norm() * 1.02 + 1e-7)).bfloat16()
            for c1, c3, c5 in self.STEPS:
                gram = x @ x.T
                x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=c3, alpha=c5), x, beta=c1)
            x = x.T if rows > columns else x
            p.mul_(1 - lr * self.decay).add_(x.reshape(p.shape).float(), alpha=-lr * 0.2 * max(rows, columns) ** 0.5)
            p.grad = None
