"""The command line of the local cluster: `python -m acme_local up|down|status|env|logs|exec|images|prune|packages`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from acme_local import caches, clusters, downs, kinds, packages, platforms, starts, statuses, ups
from acme_local.clusters import Cluster
from acme_local.failures import LocalError
from acme_local.kubectls import Kubectl
from acme_local.platforms import Helm
from acme_local.steps import Progress
from acme_local.works import Works

_INTERRUPTED = 130


def main() -> int:
    """Run one command; a failure is one sentence and exit code 1."""
    arguments = _parser().parse_args()
    try:
        cluster = Cluster(arguments.cluster)
        command: Callable[[Cluster, argparse.Namespace], int] = arguments.run
        return command(cluster, arguments)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on", file=sys.stderr)
        return _INTERRUPTED


def up(cluster: Cluster, arguments: argparse.Namespace) -> int:
    """Have the cluster, the operator and the sample."""
    progress = Progress()
    with ups.exclusive(cluster):
        kubectl = (kinds.up if engine_for(cluster, arguments.engine) == "kind" else ups.up)(cluster, progress)
        if arguments.upto != "cluster":
            _platform(cluster, kubectl, progress, sample=arguments.upto == "sample")
    progress.say(f"cluster {cluster.name} is up; {progress.summary()}")
    return 0


def down(cluster: Cluster, _: argparse.Namespace) -> int:
    """Leave nothing of the cluster."""
    with ups.exclusive(cluster):
        gone = _down(cluster)
    print(f"cluster {cluster.name} is gone" if gone else f"there is no cluster {cluster.name}")
    return 0


def status(cluster: Cluster, _: argparse.Namespace) -> int:
    """Print every part; exit code 1 unless all are well."""
    lines = statuses.status(cluster)
    if not lines:
        print(f"there is no cluster {cluster.name}; `make up` makes it")
        return 1
    print("\n".join(str(line) for line in lines))
    return 0 if all(line.well for line in lines) else 1


def env(cluster: Cluster, _: argparse.Namespace) -> int:
    """Print what a shell evaluates to talk to the cluster."""
    print(f'export KUBECONFIG="{cluster.kubeconfig}"\nexport PATH="{cluster.bin}:$PATH"')
    return 0


def logs(cluster: Cluster, _: argparse.Namespace) -> int:
    """Print where the logs are, and the last lines of each process."""
    for name in starts.ORDER:
        path = cluster.logs / f"{name}.log"
        if path.exists():
            last = path.read_text(errors="replace").splitlines()[-5:]
            print(f"== {path}", *last, sep="\n")
    print(f"containers: {cluster.pod_logs / 'pods'}; requests: {cluster.plane(Path()).audit_log}")
    return 0


def enter(cluster: Cluster, arguments: argparse.Namespace) -> int:
    """Replace this process by a command in the node's network, where pods and services answer."""
    if not cluster.network.exists():
        raise LocalError(f"there is no cluster {cluster.name}; `make up` makes it")
    command: Sequence[str] = arguments.command
    os.execvp("nsenter", ["nsenter", f"--net={cluster.network}", "--", *command])  # noqa: S606  no shell is wanted


def make_images(_: Cluster, __: argparse.Namespace) -> int:
    """Compile the programs and make the images, and no cluster."""
    packages.install(packages.missing(packages.NODE))
    with Works(Progress()) as works:
        works.finish_images()
    return 0


def install_packages(_: Cluster, __: argparse.Namespace) -> int:
    """Have what the tests need from the distribution."""
    packages.install_postgres()
    return 0


def prune(_: Cluster, __: argparse.Namespace) -> int:
    """Give back what the caches hold for nothing."""
    print("\n".join(f"removed {line}" for line in caches.prune()))
    return 0


def _platform(cluster: Cluster, kubectl: Kubectl, progress: Progress, *, sample: bool) -> None:
    option = "" if cluster.name == clusters.DEFAULT_NAME else f" CLUSTER={cluster.name}"
    platforms.install_operator(kubectl, Helm(cluster.bin / "helm", kubectl), progress)
    if sample:
        platforms.apply_sample(kubectl, progress)
        print(platforms.farewell(kubectl, platforms.greet(kubectl, progress), option))


def _down(cluster: Cluster) -> bool:
    if kinds.made(cluster):
        kinds.down(cluster)
        return True
    return downs.down(cluster)


def engine_for(cluster: Cluster, asked: str) -> str:
    """`kind` or `node`: what the cluster already is, else what was asked for, else whether a Docker engine answers."""
    if kinds.made(cluster) or cluster.records.exists():
        return "kind" if kinds.made(cluster) else "node"
    if asked == "auto":
        return "kind" if kinds.answers() else "node"
    return asked


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="acme_local", description=__doc__)
    parser.add_argument("--cluster", default=os.environ.get("CLUSTER") or clusters.DEFAULT_NAME, help="which one")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    made = commands.add_parser("up", help="have the cluster with the operator and the sample")
    made.add_argument("--engine", choices=["auto", "node", "kind"], default=os.environ.get("ENGINE") or "auto")
    made.add_argument("--upto", choices=["cluster", "operator", "sample"], default="sample", help="how far to go")
    made.set_defaults(run=up)
    for name, run, text in (
        ("down", down, "leave nothing of the cluster"),
        ("status", status, "say how every part is"),
        ("env", env, "print the shell's settings"),
        ("logs", logs, "show the end of each log and where they are"),
        ("images", make_images, "compile and make images only"),
        ("prune", prune, "remove from the caches what no current pin names"),
        ("packages", install_packages, "install what the tests need"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)
    entered = commands.add_parser("exec", help="run a command in the node's network")
    entered.add_argument("command", nargs=argparse.REMAINDER)
    entered.set_defaults(run=enter)
    return parser


if __name__ == "__main__":
    sys.exit(main())
