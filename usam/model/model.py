"""U-SAM itself: three frozen encoders, the adapter, and a language model around the audio tokens."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from usam.adapter.adapter import USAMAdapter
from usam.adapter.saclm import Significance, masked_mean
from usam.adapter.tokens import AudioTokens
from usam.adapter.untrained import untrained_adapter
from usam.adapter.words import PlacedWord, WordGrid, batch, grid, place
from usam.checkpoints.layout import LORA, SPEECH_LORA, copy_companions, pretrained_folder
from usam.checkpoints.remote_code import add_remote_code
from usam.checkpoints.resolve import checkpoint_folder
from usam.config import USAMConfig
from usam.encoders.base import Encoder, Role
from usam.encoders.heads.asked_speech import speech_request
from usam.encoders.registry import by_role, load_word_streams
from usam.encoders.words import Heard, WordStream
from usam.errors import RequestError
from usam.llm.backend import StepDecoder
from usam.llm.chat_prompts import ChatPromptBuilder
from usam.llm.finding import find_llm
from usam.llm.loading import load_embeddings, load_llm
from usam.llm.lora import merge_lora, save_lora
from usam.llm.prompts import Prompt, PromptBuilder
from usam.llm.steps import step_decoder
from usam.llm.text_space import ForeignTextSpace, TextSpace
from usam.model.hub_options import hub_options
from usam.model.listening import Hearing, hear, hear_words, words_asked_for, words_of
from usam.model.loading import check_width, frozen_encoders, load_adapter
from usam.model.pretrained import Pretrained, fetch
from usam.progress import ProgressCallback
from usam.quantization import Precision, choose_precision, quantize
from usam.schema.tasks import SpeechRequest, SpeechTask
from usam.schema.words import Word

IGNORED = -100  # label of positions that are not part of an answer
AUDIO = -1  # stands in `input_ids` where the audio tokens go; no vocabulary has it


class USAM(nn.Module):
    """The whole model. Encoders may be absent in training, which runs on cached frames.

    `checkpoint` is the folder it was loaded from, if any: its LoRA, once merged, is saved from there. `space`
    is the text the adapter was trained with, if the LLM is another than the one it was trained for: that one
    reads the same words in its own embeddings and under its own chat template. `pretrained` are the folders
    that the encoders and the adapter's LLM were loaded from.
    """

    config_class = USAMConfig

    def __init__(
        self,
        adapter: USAMAdapter,
        llm: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        encoders: Sequence[Encoder] = (),
        checkpoint: Path | None = None,
        word_streams: Sequence[WordStream | None] = (),
        space: ForeignTextSpace | None = None,
        pretrained: Pretrained | None = None,
    ) -> None:
        super().__init__()
        self.word_streams = tuple(word_streams)
        self.adapter = adapter
        self.llm = llm
        self.encoders = nn.ModuleList(encoders)  # type: ignore[arg-type]
        self.tokenizer = tokenizer
        own_template = space is not None or adapter.config.chat_template
        self.prompts = ChatPromptBuilder(tokenizer) if own_template else PromptBuilder(tokenizer)
        self.checkpoint = checkpoint
        self.space = space
        self.pretrained = pretrained
        adapter.attach(self.embeddings.weight if space is None else space.own.table)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        quantization: str | None = None,
        device: str | None = None,
        llm: str | None = None,
        **options: Any,
    ) -> USAM:
        """Load a checkpoint, a folder or an `owner/name` on the hub, with the frozen parts around it.

        `llm`, a folder or an `owner/name` too, answers instead of the LLM it was trained with. `options` are
        those of transformers' `from_pretrained` that mean something here: see `usam.model.hub_options`.
        Raises WeightsError, or RequestError for an option, quantisation or device that is not to be had.
        """
        asked = hub_options(options)
        precision = choose_precision(quantization or asked.quantization, device or asked.device)
        return load_model(checkpoint_folder(name, **asked.hub), precision, llm_name=llm)

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoModel") -> None:
        """Nothing: a saved folder names our classes already, and takes no copy of this module."""

    @classmethod
    def from_config(cls, config: USAMConfig) -> USAM:
        """A model of a configuration's encoders and language model, with an adapter that is not trained yet:
        see `usam.adapter.untrained`.

        Raises WeightsError, RequestError.
        """
        folders = fetch(config)
        llm, tokenizer = load_llm(folders.llm)
        check_width(llm, config)
        encoders = frozen_encoders(folders.encoders, config)
        streams = load_word_streams(folders.encoders, encoders, config) if config.words else ()
        return cls(
            untrained_adapter(config), llm, tokenizer, encoders, word_streams=streams, pretrained=folders
        ).eval()

    @property
    def config(self) -> USAMConfig:
        return self.adapter.config

    @property
    def dtype(self) -> torch.dtype:
        """That of the LLM's embeddings; the adapter is in float32."""
        return self.embeddings.weight.dtype

    @property
    def embeddings(self) -> nn.Embedding:
        """The LLM's input embeddings [vocabulary, D]."""
        return cast(nn.Embedding, self.llm.get_input_embeddings())

    @property
    def device(self) -> torch.device:
        return self.embeddings.weight.device

    @cached_property
    def steps(self) -> StepDecoder[Any]:
        """The LLM token by token, for answers that stream; to be asked for once it is quantised."""
        return step_decoder(self.llm)

    def encoder(self, role: Role) -> Encoder:
        """The encoder that listens for `role`. Raises LookupError if there is none."""
        return by_role(cast("list[Encoder]", list(self.encoders)), role)

    def embed_text(self, ids: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Token ids, one tensor a sample -> embeddings [B, M, D] (float32) and mask [B, M]."""
        padded = pad_sequence([sample.to(self.device) for sample in ids], batch_first=True, padding_value=-1)
        mask = padded >= 0
        return self._in_adapter_space(padded.clamp_min(0)) * mask.unsqueeze(-1), mask

    def _in_adapter_space(self, ids: Tensor) -> Tensor:
        """Token ids of the LLM -> embeddings [..., D] of the space that audio tokens live in, in float32."""
        return self.embeddings(ids).float() if self.space is None else self.space.embed(ids)

    @cached_property
    def anchor_words(self) -> Tensor:
        """The anchor's vocabulary in the embeddings of an LLM the adapter was not trained for [V, D']."""
        assert self.space is not None
        assert self.adapter.anchor is not None
        return self.space.foreign_words(self.adapter.anchor.token_ids, self.embeddings.weight)

    def anchor_text(self, index: int) -> str:
        """The word piece of a token id of the anchor's vocabulary."""
        return self.prompts.text([index]) if self.space is None else self.space.own.text(index)

    @torch.inference_mode()
    def hear(self, waveform: Tensor, request: SpeechRequest | None = None) -> Hearing:
        """Waveform [samples] at 16 kHz -> what the encoders hear of it.

        With a request, their heads are asked for words at the same time, if they have any.
        """
        encoders = cast("list[Encoder]", list(self.encoders))
        hearing = hear(
            waveform,
            encoders,
            bool(self.word_streams),
            () if request is None else self.word_streams,
            request or SpeechRequest(),
            self.adapter.kinds,
            self.adapter.names,
        )
        return replace(hearing, frames=hearing.frames.to(self.device))

    def hear_words(self, waveform: Tensor, task: SpeechTask) -> tuple[Heard, tuple[tuple[Word, ...], ...]]:
        """Waveform [samples] at 16 kHz -> what the specialists' heads say of it, an expert each, and what
        they were asked with. Raises RequestError without such heads."""
        if not any(self.word_streams):
            raise RequestError("This checkpoint's encoders have no words of their own.")
        return hear_words(
            waveform, cast("list[Encoder]", list(self.encoders)), self.word_streams, SpeechRequest(task)
        )

    def frames(self, waveform: Tensor) -> Tensor:
        """Waveform [samples] at 16 kHz -> U [T, D], all encoders on one frame rate side by side."""
        return self.hear(waveform).frames

    def place_words(
        self, hearing: Hearing, request: SpeechRequest, question: str = ""
    ) -> tuple[PlacedWord, ...]:
        """Where the specialists' words lie on the audio tokens of a clip, what the question asks for among
        them."""
        config = self.adapter.config
        words = words_of(hearing, self.word_streams, request, self.adapter.speaker)
        words = words_asked_for(hearing.heard, words, self.word_streams, question)
        length = -(-len(hearing.frames) // config.frames_per_token)
        return tuple(place(words, length, config.token_seconds))

    def word_grid(self, placed: Sequence[PlacedWord], frames: int) -> WordGrid:
        """The pieces of one clip's words on the tokens of so many frames, a batch of one."""
        config = self.adapter.config
        return grid(placed, -(-frames // config.frames_per_token), config.token_seconds, self.prompts.ids).to(
            self.device
        )

    def embed_audio(
        self,
        frames: Tensor,
        mask: Tensor,
        questions: Sequence[Tensor],
        routing: Tensor | None = None,
        words: WordGrid | None = None,
    ) -> AudioTokens:
        """U [B, T, D], mask [B, T], the questions' token ids -> audio tokens routed by the questions.

        `routing`, [B, L, E] or what expands to it, overrides the router. `words` are the specialists'.
        """
        return self.project(*self.adapter.encode(frames, mask), questions, words, routing)

    def project(
        self,
        tokens: Tensor,
        mask: Tensor,
        questions: Sequence[Tensor],
        words: WordGrid | None = None,
        routing: Tensor | None = None,
    ) -> AudioTokens:
        """The Q-Former's tokens [B, L, H], mask [B, L] -> audio tokens; the rest as `embed_audio`."""
        prompt = masked_mean(*self.embed_text(questions))
        read = None if words is None else self._in_adapter_space(words.ids.clamp_min(0))
        audio = self.adapter.project(tokens, mask, prompt, routing, words, read)
        return audio if self.space is None else replace(audio, inputs=self._foreign(audio, words))

    def _foreign(self, audio: AudioTokens, words: WordGrid | None) -> Tensor:
        """What an LLM that the adapter was not trained for reads [B, N, D']: the same words, in its own
        embeddings. What has no word has none there either."""
        if audio.logits is None:
            raise RequestError("This checkpoint has no words that another language model could read.")
        own = audio.logits.float().softmax(-1)[..., :-1] @ self.anchor_words
        if words is None or audio.word_share is None or self.adapter.words is None:
            return own
        read = self.embeddings(words.ids.clamp_min(0)).float()
        return cast(Tensor, self.adapter.words(own, read, audio.word_share, words))

    def significance(self, audio: AudioTokens, texts: Sequence[Tensor]) -> Significance:
        """SACLM's scores of the audio tokens under the given texts' token ids, each [B, L].

        A token that holds several vectors is as significant as the most significant of them.
        """
        scores = self.adapter.saclm.significance(audio.tokens, audio.mask, *self.embed_text(texts))
        if audio.informative is None:
            return scores
        logits = audio.by_token(scores.predictive_logits.sigmoid()).clamp(1e-6, 1 - 1e-6).logit()
        return Significance(
            audio.by_token(scores.total),
            audio.by_token(scores.predictive),
            audio.by_token(scores.text_relevance),
            audio.by_token(scores.audio_saliency),
            logits,
        )

    def assemble(
        self,
        audio: AudioTokens,
        prompts: Sequence[Prompt],
        answers: Sequence[Tensor] | None = None,
        padding_side: Literal["left", "right"] = "right",
    ) -> dict[str, Tensor]:
        """`left <audio tokens> right [answer]` of every sample, padded, as inputs of the LLM.

        Returns inputs_embeds [B, S, D], attention_mask [B, S] and, with answers, labels [B, S].
        """
        dtype = self.embeddings.weight.dtype
        read = audio.tokens if audio.inputs is None else audio.inputs
        rows, labels = [], []
        for index, prompt in enumerate(prompts):
            heard = read[index][audio.mask[index]].to(dtype)
            answer = (prompt.right[:0] if answers is None else answers[index]).to(self.device)
            before = self.embeddings(prompt.left.to(self.device))
            after = self.embeddings(torch.cat([prompt.right.to(self.device), answer]))
            rows.append(torch.cat([before, heard, after]))
            asked = len(rows[-1]) - len(answer)
            labels.append(torch.cat([answer.new_full((asked,), IGNORED), answer]))
        inputs = {
            "inputs_embeds": pad_sequence(rows, batch_first=True, padding_side=padding_side),
            "attention_mask": pad_sequence(
                [torch.ones(len(row), dtype=torch.long, device=self.device) for row in rows],
                batch_first=True,
                padding_side=padding_side,
            ),
        }
        if answers is not None:
            inputs["labels"] = pad_sequence(
                labels, batch_first=True, padding_value=IGNORED, padding_side=padding_side
            )
        return inputs

    def answer_loss(self, inputs: dict[str, Tensor]) -> Tensor:
        """Cross-entropy of the answers' tokens, a mean for every sample [B]."""
        tokens = (inputs["labels"] != IGNORED).sum(-1)
        return -self.answer_logprobs(inputs).sum(-1) / tokens.clamp_min(1)

    def answer_logprobs(self, inputs: dict[str, Tensor]) -> Tensor:
        """Log-probability, in nats, of each label given what precedes it [B, S]; zero where there is none."""
        targets = inputs["labels"][:, 1:]
        chosen = targets != IGNORED
        logprobs = -F.cross_entropy(self.answer_logits(inputs), targets[chosen], reduction="none")
        return F.pad(logprobs.new_zeros(targets.shape).masked_scatter(chosen, logprobs), (1, 0))

    def answer_logits(self, inputs: dict[str, Tensor]) -> Tensor:
        """The vocabulary's logits at each label, in order, given what precedes it [N, V], in float32.

        Only positions that predict an answer token go through the vocabulary projection, which costs
        more than several layers of a small LLM.
        """
        hidden = self.llm.get_decoder()(
            inputs_embeds=inputs["inputs_embeds"], attention_mask=inputs["attention_mask"], use_cache=False
        ).last_hidden_state
        chosen = inputs["labels"][:, 1:] != IGNORED
        logits: Tensor = self.llm.get_output_embeddings()(hidden[:, :-1][chosen])
        return logits.float()

    @torch.inference_mode()
    def respond(self, audio: AudioTokens, prompts: Sequence[Prompt], **options: Any) -> Tensor:
        """The answers' token ids [B, N]; `options` are those of transformers' `generate`."""
        end = self.prompts.end_id
        inputs = self.assemble(audio, prompts, padding_side="left")
        options = {"eos_token_id": end, "pad_token_id": end, **options}
        return cast(Tensor, self.llm.generate(**inputs, **options))  # type: ignore[operator]

    @torch.inference_mode()
    def generate(
        self,
        waveform: Tensor,
        samples: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        question_mask: Tensor,
        translate: Tensor | None = None,
        **options: Any,
    ) -> Tensor:
        """Answer what `USAMProcessor` prepared: token ids [B, N].

        waveform [B, S] at 16 kHz with `samples` [B] real ones a clip; input_ids [B, M] of the prompt, with
        AUDIO where the audio tokens go; masks [B, M] of what is real and of what is the question; translate
        [B], true where speech is wanted in English, else as the questions' own words say.
        `options` are those of transformers' `generate`.
        """
        asked = [ids[question] for ids, question in zip(input_ids, question_mask.bool(), strict=True)]
        texts = [self.prompts.text(ids) for ids in asked]
        requests = [
            speech_request("s2tt" if translate is not None and translate[row] else "qa", text)
            for row, text in enumerate(texts)
        ]
        clips = [
            self.hear(clip[:length], request)
            for clip, length, request in zip(waveform, samples.tolist(), requests, strict=True)
        ]
        padded = pad_sequence([clip.frames for clip in clips], batch_first=True)
        lengths = torch.tensor([len(clip.frames) for clip in clips], device=padded.device)
        heard = torch.arange(padded.shape[1], device=padded.device) < lengths[:, None]
        prompts = []
        for ids, real, question in zip(input_ids, attention_mask.bool(), question_mask.bool(), strict=True):
            at = int((ids == AUDIO).nonzero()[0])
            after = real & (torch.arange(len(ids), device=ids.device) > at)
            prompts.append(Prompt(ids[:at], ids[after], ids[question]))
        questions = [prompt.question for prompt in prompts]
        words = self._words_of(clips, requests, texts) if self.word_streams else None
        audio = self.embed_audio(padded, heard, questions, words=words)
        if words is not None:
            audio = audio.keep(self.significance(audio, questions).total > self.adapter.saclm.threshold)
        return self.respond(audio, prompts, **options)

    def _words_of(
        self, clips: Sequence[Hearing], requests: Sequence[SpeechRequest], questions: Sequence[str]
    ) -> WordGrid:
        """The specialists' words of a batch, each clip's speech as its question wants it."""
        return batch(
            [
                self.word_grid(self.place_words(clip, request, question), len(clip.frames))
                for clip, request, question in zip(clips, requests, questions, strict=True)
            ]
        )

    def save_pretrained(self, folder: str | Path, with_pretrained: bool = False, **_: Any) -> None:
        """Write a folder that a hub takes as it is: adapter, config, the LLM's LoRA and the model card.

        The frozen parts are named by the config, and `from_pretrained` fetches them. `with_pretrained` copies
        them too: the folder then loads on a machine without a network. Raises RequestError if it is not known
        where they were loaded from.
        """
        folder = Path(folder)
        config = self.adapter.config
        if with_pretrained:
            self._copy_pretrained(folder)
        self.adapter.save_pretrained(folder)
        add_remote_code(folder, "config.json", architectures=["USAM"])
        if hasattr(self.llm, "peft_config"):
            save_lora(self.llm, folder / LORA, config.llm_name)
        for encoder in cast("list[Encoder]", list(self.encoders)):
            tuned: Any = getattr(encoder, "encoder", None)
            if encoder.role == "speech" and hasattr(tuned, "peft_config"):
                save_lora(tuned, folder / SPEECH_LORA, encoder.name)
        if self.checkpoint is not None and self.checkpoint.resolve() != folder.resolve():
            copy_companions(self.checkpoint, folder)

    def _copy_pretrained(self, folder: Path) -> None:
        if self.pretrained is None:
            raise RequestError("It is not known where this model's encoders and language model came from.")
        parts = {**self.pretrained.encoders, self.adapter.config.llm_name: self.pretrained.llm}
        for name, source in parts.items():
            target = pretrained_folder(folder, name)
            if source != Path() and not target.exists():  # an encoder without weights has no folder
                shutil.copytree(source, target)


def load_model(
    checkpoint: Path,
    precision: Precision,
    progress: ProgressCallback | None = None,
    llm_name: str | None = None,
) -> USAM:
    """A whole U-SAM ready to answer: weights fetched if missing, LoRA merged, the LLM quantised.

    LoRA is merged before quantisation: the answer then costs no extra layers. `llm_name`, a folder or an
    `owner/name` on the hub, answers instead of the LLM that the checkpoint was trained with, as it comes.
    Raises WeightsError, RequestError.
    """
    tell = progress or (lambda message, share: None)
    other = None if llm_name is None else find_llm(llm_name, precision, lambda m, share: tell(m, 0.3 * share))
    adapter = load_adapter(checkpoint)
    found = 0.0 if other is None else 0.3
    config = adapter.config
    paths = fetch(config, lambda message, share: tell(message, found + (0.7 - found) * share), checkpoint)
    tell("Loading the encoders", 0.7)
    encoders = frozen_encoders(paths.encoders, config, checkpoint / SPEECH_LORA)
    tell("Loading the language model", 0.8)
    llm, tokenizer = load_llm(other or paths.llm)
    space = None
    if other is not None:
        own = TextSpace(*load_embeddings(paths.llm))
        check_width(own.table, config)
        space = ForeignTextSpace(own, tokenizer)
    else:
        check_width(llm, config)
        if (checkpoint / LORA).exists():
            llm = merge_lora(llm, checkpoint / LORA)
    tell("Quantising the language model", 0.9)
    llm = quantize(llm, precision)
    streams = load_word_streams(paths.encoders, encoders, config) if config.words else ()
    model = USAM(adapter, llm, tokenizer, encoders, checkpoint, streams, space, paths).to(precision.device)
    tell("Ready", 1.0)
    return model.eval().requires_grad_(False)


AutoModel.register(USAMConfig, USAM, exist_ok=True)
