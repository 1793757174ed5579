"""The window-level Q-Former: frames of three encoders in, a few tokens a window out (paper section 2.2).

Two departures from the paper, both because a Q-Former from random initialisation blocks the signal for
a long time: a query starts as a projection of its own frames, and every residual branch starts at zero.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from usam.config import USAMConfig


class Attention(nn.Module):
    """Multi-head attention whose output projection starts at zero."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = zeroed(nn.Linear(dim, dim))

    def forward(self, x: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """x [W, N, H] attends to context [W, S, H] where mask [W, S] is true -> [W, N, H]."""
        key, value = self.key_value(context).chunk(2, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query(x), key, value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
        return self.out(mixed.transpose(1, 2).flatten(2))


class NeighbourConv(nn.Module):
    """Depthwise convolution over the token sequence, so that a window hears what its neighbours hold."""

    def __init__(self, dim: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.out = zeroed(nn.Linear(dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        """x [B, L, H] -> [B, L, H]."""
        return self.out(F.gelu(self.depthwise(x.transpose(1, 2)).transpose(1, 2)))


class QFormerLayer(nn.Module):
    """Self-attention of a window's queries, cross-attention into its frames, neighbours, feed-forward."""

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        dim = config.hidden_size
        self.self_norm = nn.LayerNorm(dim)
        self.self_attention = Attention(dim, config.num_heads)
        self.cross_norm = nn.LayerNorm(dim)
        self.cross_attention = Attention(dim, config.num_heads)
        self.conv_norm = nn.LayerNorm(dim)
        self.conv = NeighbourConv(dim, config.conv_kernel) if config.conv_kernel else None
        self.ff_norm = nn.LayerNorm(dim)
        self.feedforward = nn.Sequential(
            nn.Linear(dim, config.feedforward_size),
            nn.GELU(),
            nn.Dropout(config.dropout),
            zeroed(nn.Linear(config.feedforward_size, dim)),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, queries: Tensor, frames: Tensor, query_mask: Tensor, frame_mask: Tensor) -> Tensor:
        """queries [B, W, N, H] over frames [B, W, F, H]; masks [B, W, N] and [B, W, F] -> [B, W, N, H]."""
        batch, windows = queries.shape[:2]
        x = queries.flatten(0, 1)
        frames, frame_mask = frames.flatten(0, 1), frame_mask.flatten(0, 1)
        # A fully padded window has no query to attend to: let it see itself, it is masked later.
        attendable = query_mask | ~query_mask.any(-1, keepdim=True)
        normed = self.self_norm(x)
        x = x + self.dropout(self.self_attention(normed, normed, attendable.flatten(0, 1)))
        x = x + self.dropout(self.cross_attention(self.cross_norm(x), frames, frame_mask))
        x = x.unflatten(0, (batch, windows)).flatten(1, 2)
        if self.conv is not None:
            # Masked tokens are silenced so that padding never leaks into a neighbour.
            real = query_mask.flatten(1, 2).unsqueeze(-1)
            x = x + self.dropout(self.conv(self.conv_norm(x) * real))
        x = x + self.dropout(self.feedforward(self.ff_norm(x)))
        return x.unflatten(1, (windows, -1))


class SlowPath(nn.Module):
    """What the audio and music encoders hear, straight to the tokens.

    Their channels change slowly: the mean over a token's frames says as much as its frames. A path of its own
    keeps them from competing with speech for the width of the frames.
    """

    def __init__(self, channels: int, config: USAMConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(channels, elementwise_affine=False),
            nn.Linear(channels, config.slow_size),
            nn.GELU(),
            nn.Dropout(config.dropout),
            zeroed(nn.Linear(config.slow_size, config.hidden_size)),
        )

    def forward(self, channels: Tensor) -> Tensor:
        """A token's mean channels, standardised, [B, L, C] -> [B, L, H]."""
        return self.layers(channels)


class QFormer(nn.Module):
    """Frames U [B, T, D] -> tokens Z [B, L, H], L = ceil(T / frames_per_token).

    U is cut into windows of `window_frames`; the last is padded and masked, so that no frame is lost
    (the authors drop the tail). A window's queries attend to all of that window's frames.
    """

    frame_mean: Tensor
    frame_std: Tensor

    def __init__(self, config: USAMConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.hidden_size
        # The encoders' channels differ in scale by orders of magnitude: standardise with training statistics.
        self.register_buffer("frame_mean", torch.zeros(config.frame_dim))
        self.register_buffer("frame_std", torch.ones(config.frame_dim))
        self.inputs = nn.Linear(config.frame_dim, dim)
        self.seed = nn.Linear(config.frames_per_token * dim, dim)
        self.slow = SlowPath(config.frame_dim - config.width("speech"), config) if config.slow_size else None
        self.queries = nn.Parameter(torch.zeros(config.queries_per_window, dim))
        self.layers = nn.ModuleList(QFormerLayer(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(dim)
        # Training starts on the direct path from a query's own frames; the layers join once it speaks.
        self.direct = False

    def forward(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """frames [B, T, D], mask [B, T] (true = heard) -> tokens [B, L, H], token mask [B, L]."""
        tokens = -(-frames.shape[1] // self.config.frames_per_token)
        queries, slow, token_mask = self.listen(frames, mask)
        return self.join(queries, slow)[:, :tokens], token_mask[:, :tokens]

    def listen(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the queries took from whole windows [B, L', H], slow channels [B, L', C], token mask."""
        size, per_token = self.config.window_frames, self.config.frames_per_token
        tail = -frames.shape[1] % size
        frames = F.pad((frames - self.frame_mean) / self.frame_std, (0, 0, 0, tail))
        mask = F.pad(mask, (0, tail))
        # Frames that are not heard must be exactly silent: they reach the seeds by concatenation.
        hidden = F.gelu(self.inputs(frames)) * mask.unsqueeze(-1)
        seeds = self.seed(hidden.unflatten(1, (-1, per_token)).flatten(2))
        token_mask = mask.unflatten(1, (-1, per_token)).any(-1)
        windows = hidden.unflatten(1, (-1, size))
        queries = seeds.unflatten(1, (-1, self.config.queries_per_window)) + self.queries
        # A fully padded window has nothing to attend to; let it see its own zeros and mask it later.
        window_mask = mask.unflatten(1, (-1, size))
        window_mask = window_mask | ~window_mask.any(-1, keepdim=True)
        query_mask = token_mask.unflatten(1, (-1, self.config.queries_per_window))
        for layer in () if self.direct else self.layers:
            queries = layer(queries, windows, query_mask, window_mask)
        speech = self.config.channels("speech")
        channels = torch.cat([frames[..., : speech.start], frames[..., speech.stop :]], dim=-1)
        channels = channels * mask.unsqueeze(-1)
        heard = mask.unflatten(1, (-1, per_token)).sum(-1, keepdim=True).clamp_min(1)
        slow = channels.unflatten(1, (-1, per_token)).sum(2) / heard
        return queries.flatten(1, 2), slow, token_mask

    def join(self, queries: Tensor, slow: Tensor) -> Tensor:
        """Queries [B, L, H] and slow channels [B, L, C] -> tokens [B, L, H]."""
        return self.norm(queries if self.slow is None else queries + self.slow(slow))


def zeroed(linear: nn.Linear) -> nn.Linear:
    """The same layer with all its parameters zero, so that its residual branch starts as nothing."""
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
