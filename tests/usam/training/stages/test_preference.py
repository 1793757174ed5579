"""The losses of the stage of preferences, beside TRL's own, and what is drawn for a step."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from tests import tiny
from usam.training.execution import Execution
from usam.training.preferences.clips import Completion, Heard
from usam.training.preferences.judgements import MarkItem, PairItem, ThumbItem, TuningData, balance
from usam.training.preferences.reference import Reference, References, divergence, score_all
from usam.training.preferences.rows import Mark
from usam.training.preferences.settings import Settings
from usam.training.stages.preference import choose_parts, drawn
from usam.training.stages.preference_checks import Check, Watch, before, check
from usam.training.stages.preference_losses import dpo_loss, kto_kl, kto_loss, marks_loss


def totals(model: LlamaForCausalLM, ids: Tensor, mask: Tensor) -> Tensor:
    """Log-probabilities of the masked tokens of each row, as the losses take them."""
    with torch.no_grad():
        logprobs = model(input_ids=ids).logits[:, :-1].float().log_softmax(-1)
    return (logprobs.gather(-1, ids[:, 1:, None]).squeeze(-1) * mask[:, 1:]).sum(-1)


@pytest.fixture(scope="module")
def texts() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(3, 200, (6, 9), generator=generator), (torch.arange(9) > 3).long().expand(6, -1)


def trainer(kind: str, folder: Path, rows: list[dict[str, Any]], **options: Any) -> Any:
    """TRL's trainer of a policy and a reference that differ."""
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    reference = tiny.llm()
    policy = tiny.llm()
    with torch.no_grad():
        policy.lm_head.weight.mul_(0.9)
    tokenizer = tiny.tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    settings = {
        "output_dir": str(folder), "report_to": [], "use_cpu": True, "bf16": False, "beta": 0.3,
        "disable_dropout": True, "per_device_train_batch_size": 2, **options,
    }  # fmt: skip
    return getattr(trl, f"{kind}Trainer")(
        model=policy,
        ref_model=reference,
        args=getattr(trl, f"{kind}Config")(**settings),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer,
    )


def test_the_loss_of_pairs_is_trls(texts: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    ids, mask = texts
    rows = [{"prompt": "a", "chosen": "b", "rejected": "c"}] * 2
    theirs = trainer("DPO", tmp_path, rows, loss_type=["sigmoid", "sft"], loss_weights=[1.0, 0.2])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "completion_mask": mask}
    expected = theirs._compute_loss(theirs.model, inputs, False)
    policy = totals(theirs.model, ids, mask)
    own = dpo_loss(*policy.chunk(2), *totals(theirs.ref_model, ids, mask).chunk(2), 0.3).mean()
    own = own - 0.2 * policy[:3].sum() / mask[:3, 1:].sum()
    assert float(own) == pytest.approx(float(expected), rel=1e-4)
    assert not torch.isclose(own, torch.tensor(2.0).log())


def test_the_loss_of_thumbs_is_trls(texts: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    ids, mask = texts
    rows = [
        {"prompt": "a", "completion": "b", "label": True},
        {"prompt": "d", "completion": "e", "label": False},
    ]
    theirs = trainer("KTO", tmp_path, rows)
    labels = torch.tensor([True, False, True, True, False, False])
    others = ids.roll(1, 0)
    inputs = {
        "input_ids": ids, "attention_mask": torch.ones_like(ids), "completion_mask": mask, "label": labels,
        "KL_input_ids": others, "KL_attention_mask": torch.ones_like(ids), "KL_completion_mask": mask,
    }  # fmt: skip
    expected = theirs._compute_loss(theirs.model, inputs, False)
    kl = kto_kl(totals(theirs.model, others, mask), totals(theirs.ref_model, others, mask))
    own = kto_loss(totals(theirs.model, ids, mask), totals(theirs.ref_model, ids, mask), labels, kl, 0.3)
    assert kl > 0
    assert float(own.mean()) == pytest.approx(float(expected), rel=1e-4)


def test_the_divergence_is_that_of_the_whole_distributions() -> None:
    generator = torch.Generator().manual_seed(0)
    mine, theirs = torch.randn(2, 5, 40, generator=generator).unbind()
    likeliest, ids = theirs.log_softmax(-1).topk(39)
    found = divergence(Reference(torch.zeros(5), ids, likeliest), mine)
    whole = F.kl_div(mine.log_softmax(-1), theirs.log_softmax(-1), log_target=True, reduction="none").sum(-1)
    assert found == pytest.approx(whole.tolist(), rel=1e-4)
    likeliest, ids = likeliest[:, :4], ids[:, :4]
    part = divergence(Reference(torch.zeros(5), ids, likeliest), mine)
    assert ((part > 0) & (part < whole)).all()


def test_every_judgement_is_drawn_as_often_as_another_and_by_the_step_alone() -> None:
    items = list(range(7))
    steps = [drawn(items, 3, 0, step) for step in range(14)]
    counts = [sum(step.count(item) for step in steps) for item in items]
    assert counts == [6] * 7
    assert drawn(items, 3, 0, 5) == steps[5]
    assert drawn(items, 3, 1, 5) != steps[5] or drawn(items, 3, 1, 6) != steps[6]
    assert sorted(drawn(items, 10, 0, 0)) == items
    assert drawn([], 3, 0, 0) == []


def test_the_rarer_thumb_weighs_more() -> None:
    item: Any = lambda label: ThumbItem(*[None] * 4, label, 1.0)  # type: ignore[arg-type]  # noqa: E731
    assert balance([item(True), item(False), item(False)]) == {True: 2.0, False: 1.0}
    assert balance([item(True)]) == {True: 1.0, False: 1.0}


def test_what_did_not_matter_becomes_redundant_there_and_nowhere_else() -> None:
    model = tiny.model(words=True)
    moving = choose_parts(model, ["saclm"])
    tokens = torch.randn(12, 24, generator=torch.Generator().manual_seed(0))
    completion = Completion(
        Heard(tokens, ((), (), ()), "one"), model.prompts.build("What?"), model.prompts.answer("A dog.")
    )
    end = 12 * model.adapter.config.token_seconds
    marks = Mark(0.0, end / 2, False), Mark(end / 2 + 0.01, end, True)
    optimizer = torch.optim.Adam(moving["saclm"], lr=0.01)
    item = MarkItem(completion.heard, completion, marks, 1.0)
    first = float(marks_loss(model, [item]).detach())
    for _ in range(80):
        optimizer.zero_grad()
        loss = marks_loss(model, [item])
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.7 * first
    assert {name for name, p in model.named_parameters() if p.grad is not None} == {
        f"adapter.saclm.predictor.{name}" for name, _ in model.adapter.saclm.predictor.named_parameters()
    }


def test_a_correction_is_learned_even_where_what_it_corrects_gets_likelier_too(
    tmp_path: Path,
) -> None:
    model = tiny.model(words=True).eval()
    model.llm.requires_grad_(True)
    tokens = torch.randn(12, 24, generator=torch.Generator().manual_seed(0))
    heard, prompt = Heard(tokens, ((), (), ()), "one"), model.prompts.build("What?")
    right, wrong = (Completion(heard, prompt, model.prompts.answer(text)) for text in ("A hen.", "A dog."))
    references = References(tmp_path / "reference", model).of([right, wrong])
    pair = PairItem(right, wrong, *references, weight=1.0, sft=1.0, dpo=0.1, corrects=True)
    data, settings = TuningData([], held_pairs=[pair]), Settings()
    parent = before([pair])
    assert check(model, data, settings.beta, 0).loss == pytest.approx(parent.loss, rel=1e-4)
    optimizer = torch.optim.Adam(model.llm.parameters(), lr=0.01)
    for _ in range(10):
        optimizer.zero_grad()
        (-score_all(model, [right, wrong]).means()).sum().backward()
        optimizer.step()
    watch = Watch(model, data, settings, tmp_path / "run", lambda message: None)
    watch(10)
    assert watch.best is not None
    assert watch.best.loss < 0.99 * parent.loss


@pytest.mark.parametrize(
    ("kl_at_20", "remembered", "step", "factor"),
    [(0.03, 9.0, 20, 1.75), (0.09, 9.0, 10, 1.0), (0.03, 1.25, 20, 1.5)],
    ids=["the last has room", "neither has room", "more would be forgotten"],
)
def test_of_states_that_follow_as_many_votes_the_one_that_leads_furthest_remains(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kl_at_20: float,
    remembered: float,
    step: int,
    factor: float,
) -> None:
    learned, divergence = {10: 1.0, 20: 0.8, 30: 2.0}, {10: 0.09, 20: kl_at_20, 30: 0.6}

    def measure(model: Any, data: TuningData, beta: float, step: int, execution: Execution) -> Check:
        weight = float(model.weight.detach())
        kl = divergence[step] * (weight / learned[step]) ** 2
        return Check(step, 10, 9, -weight, 9, kl)

    def known(model: Any, answers: Any, execution: Execution) -> list[bool]:
        weight = float(model.weight.detach())
        return [True] * (20 if weight <= remembered else 17)

    monkeypatch.setattr("usam.training.stages.preference_checks.check", measure)
    monkeypatch.setattr("usam.training.stages.preference_checks.likeliest", known)
    model: Any = torch.nn.Linear(1, 1, bias=False)
    start = {"weight": torch.zeros(1, 1)}
    data, settings = TuningData([]), Settings(kl_bound=0.2)  # half of which may be gone on with
    for number, weight in learned.items():  # as a run that is cut after every check
        torch.nn.init.constant_(model.weight, weight)
        ended = Watch(model, data, settings, tmp_path, lambda message: None)(number)
    assert ended, "the state of step 30 is too far from the reference"
    watch = Watch(model, data, settings, tmp_path, lambda message: None)
    watch.restore(start)
    assert watch.result is not None
    assert (watch.result.step, watch.result.factor) == (step, factor)
    assert float(model.weight.detach()) == pytest.approx(learned[step] * factor)
    assert {file.name for file in (tmp_path / "states").iterdir()} == {"10.pt", "20.pt"}
