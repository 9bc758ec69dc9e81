"""What a data desk would write: MinHash and LSH by datasketch, and a list of regular expressions. Prints one line of JSON.

python datasketch_peer.py FILE w3|w1 COMMENTS
"""
import json
import re
import sys
import time

from datasketch import MinHash, MinHashLSH

PHRASES = """raises important questions|a nuanced understanding|is crucial|is essential|balanced (view|assessment|perspective)|thought-provoking
well[- ]written|great (article|read|insight|breakdown)|thanks for sharing|sheds light on|food for thought|important (topic|issue|conversation)
couldn't agree more|spot on|it is worth noting|in today's world|plays a crucial role|lasting change|all stakeholders|look(ing)? forward to
this resonates|kudos to|highlights the importance|complex issue|key takeaway|as an ai|absolutely[.!]|well said|insightful|constructive dialogue"""
PATTERNS = [re.compile(line, re.IGNORECASE) for line in PHRASES.splitlines()]
WORD = re.compile(r"\w+")


def shingles(text, how):
    words = WORD.findall(text.lower())
    if how == "w1":
        return set(words)
    return {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def main():
    path, how, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    lines = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            lines.append(line)
            if len(lines) == limit:
                break
    began = time.perf_counter()
    lsh = MinHashLSH(threshold=0.5, num_perm=128)
    clusters, pairs, flagged = [], [], 0
    for at, line in enumerate(lines):
        record = json.loads(line)
        clusters.append(record.get("cluster"))
        flagged += any(pattern.search(record["text"]) for pattern in PATTERNS)
        signature = MinHash(num_perm=128)
        signature.update_batch([shingle.encode() for shingle in shingles(record["text"], how)])
        pairs.extend((at, other) for other in lsh.query(signature))
        lsh.insert(at, signature)
    seconds = time.perf_counter() - began
    right = [(a, b) for a, b in pairs if clusters[a] is not None and clusters[a] == clusters[b]]
    seen, wanted = set(), set()
    for at, cluster in enumerate(clusters):
        if cluster is not None:
            (wanted.add(at) if cluster in seen else seen.add(cluster))
    recalled = {a for a, _ in right}
    print(
        json.dumps(
            {
                "comments": len(lines),
                "rate": len(lines) / seconds,
                "recall": len(wanted & recalled) / max(1, len(wanted)),
                "precision": len(right) / max(1, len(pairs)),
                "flagged": flagged,
            }
        )
    )


main()
