"""The tokenizer, and the exchange of words that prepares the model for prompt-to-prompt edits."""

import json

import torch
from transformers import PreTrainedTokenizerFast

LENGTH = 32  # tokens per prompt
START, END = "<|startoftext|>", "<|endoftext|>"

# Words that can stand for one another in a caption; WordExchange draws from them.
KINDS = [
    line.split()
    for line in """
black brown red blue pink green purple grey white orange yellow blond
woman man girl boy lady guy
long short
wavy straight curly
bob bun afro dreadlocks
smiling sad angry laughing winking serious surprised sleeping crying happy
river street road path lake glacier village field waterfall railway forest desert meadow beach city sea space table
mountains hills dunes cliffs trees buildings
night sunset sunrise noon dawn day
autumn winter summer spring
cloudy clear snowy starry foggy rainy
pale light tan dark
glasses sunglasses
beard moustache
shirt hoodie jacket sweater overalls
hat turban hijab beanie headscarf
dinosaur frog cow fox bear horse turtle panda duck elephant cat lion unicorn pig rabbit dog owl tiger monkey penguin banana burger pumpkin cake lemon strawberry pizza robot pear mushroom apple bus bicycle chair cactus train umbrella castle balloon snowman sunflower airplane rocket car tractor rose house tree boat tent
""".strip().splitlines()
]


def make_tokenizer(captions, merges, out):
    """Byte-pair encoding as CLIP does it (lower case, end-of-word mark), with a merge list of its own.

    The vocabulary holds the 256 bytes, the same with the end-of-word mark, one entry a merge, and the two special
    tokens. So every text can be encoded, a rare word in several pieces.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    def blank(model):
        t = Tokenizer(model)
        t.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        )
        t.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(
                    Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), behavior="removed", invert=True
                ),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        t.decoder = decoders.BPEDecoder(suffix="</w>")
        return t

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    t = blank(models.BPE(end_of_word_suffix="</w>", unk_token=END))
    t.train_from_iterator(
        captions,
        trainers.BpeTrainer(
            vocab_size=len(alphabet) + 64 + merges,
            initial_alphabet=alphabet,
            end_of_word_suffix="</w>",
            show_progress=False,
        ),
    )
    pairs = [
        tuple(m) if not isinstance(m, str) else tuple(m.split(" ")) for m in json.loads(t.to_str())["model"]["merges"]
    ][:merges]
    words = alphabet + [c + "</w>" for c in alphabet] + ["".join(p) for p in pairs] + [START, END]
    vocab = {w: i for i, w in enumerate(dict.fromkeys(words))}
    t = blank(
        models.BPE(vocab=vocab, merges=pairs, end_of_word_suffix="</w>", continuing_subword_prefix="", unk_token=END)
    )
    t.add_special_tokens([START, END])
    t.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, vocab[START]), (END, vocab[END])]
    )
    t.enable_truncation(LENGTH)
    t.enable_padding(length=LENGTH, pad_id=vocab[END], pad_token=END)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=t,
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=END,
        model_max_length=LENGTH,
        padding_side="right",
        truncation_side="right",
    )
    fast.save_pretrained(out)
    return fast


def encode_prompts(tok, prompts):
    return tok(prompts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids


class WordExchange:
    """Exchanges tokens for random others of their kind. A word of KINDS that is not a single token is left out."""

    def __init__(self, tok):
        kinds = [[tok(w, add_special_tokens=False).input_ids for w in words] for words in KINDS]
        kinds = [[i[0] for i in ids if len(i) == 1 and i[0] != tok.unk_token_id] for ids in kinds]
        self.kind = torch.full((len(tok),), -1)
        self.size = torch.tensor([len(ids) for ids in kinds])
        self.words = torch.zeros(len(kinds), int(self.size.max()), dtype=torch.long)
        for k, ids in enumerate(kinds):
            self.kind[ids] = k
            self.words[k, : len(ids)] = torch.tensor(ids)

    def __call__(self, ids, share):
        """`ids` is [batch, length]. In `share` of the rows, each known word is exchanged with probability 0.6."""
        at, (kinds, size, words) = ids.device, (x.to(ids.device) for x in (self.kind, self.size, self.words))
        kind = kinds[ids]
        hit = (kind >= 0) & (torch.rand(ids.shape, device=at) < 0.6) & (torch.rand(len(ids), 1, device=at) < share)
        kind = kind.clamp(min=0)
        return torch.where(hit, words[kind, (torch.rand(ids.shape, device=at) * size[kind]).long()], ids)
