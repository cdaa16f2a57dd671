#!/usr/bin/env bash
# Runs one benchmark topology on Apache Storm, the peer that we compare ourselves with:
#
#   bench.sh CASE [key=value ...]   prints one JSON line {case, msgs_per_sec, ...};  bench.sh list names the cases
#
# Everything built goes to PEER_BUILD (by default .cache/storm-peer in the repository). LOCK: a file to flock while a case
# runs, so that two benchmarks do not disturb each other. JOPTS: options of the JVM in local mode.
set -euo pipefail
cd "$(dirname "$0")"
BUILD=${PEER_BUILD:-../../.cache/storm-peer}
mkdir -p "$BUILD/run" && BUILD=$(cd "$BUILD" && pwd)
LOCK=${LOCK:-}
JOPTS=${JOPTS:--Xms2g -Xmx4g -XX:+UseParallelGC}
export PYTHONUNBUFFERED= # set, each message of a Python child would be four writes
LIMIT_S=600 # a case: start, warm-up, measurement
C="conf.topology"
# what Storm's docs/Performance.md and its perf topologies advise for one worker
TUNED="$C.producer.batch.size=500 $C.executor.receive.buffer.size=50000 $C.disable.loadaware.messaging=true $C.stats.sample.rate=0.0005 $C.spout.recvq.skips=8"
TACK="$C.producer.batch.size=100 $C.disable.loadaware.messaging=true $C.stats.sample.rate=0.0005 pending=5000"
# the same without batching: on 2 cores often the better unacked setting
TB1="$C.disable.loadaware.messaging=true $C.stats.sample.rate=0.0005 $C.spout.recvq.skips=8"
# two workers: the inter-worker batch too
TNET="$C.transfer.batch.size=500 $C.transfer.buffer.size=5000"
A="ack=1 pending=1000"
declare -A CASES=(
 [sol]="topo=sol levels=2"                     [sol-tuned]="topo=sol levels=2 $TUNED"
 [sol-acked]="topo=sol levels=2 $A"            [sol-acked-tuned]="topo=sol levels=2 ack=1 $TACK"
 [sol-tuned-b1]="topo=sol levels=2 $TB1"       [const-tuned-b1]="topo=const $TB1"       [wc-tuned-b1]="topo=wc $TB1"
 [sol-2x2]="topo=sol levels=2 spouts=2 bolts=2"           [sol-2x2-tuned]="topo=sol levels=2 spouts=2 bolts=2 $TUNED"
 [sol-2x2-acked]="topo=sol levels=2 spouts=2 bolts=2 $A"  [sol-2x2-acked-tuned]="topo=sol levels=2 spouts=2 bolts=2 ack=1 $TACK"
 [sol3]="topo=sol levels=3"                    [sol3-tuned]="topo=sol levels=3 $TUNED"
 [sol3-acked]="topo=sol levels=3 $A"           [sol3-acked-tuned]="topo=sol levels=3 ack=1 $TACK"
 [const]="topo=const"                          [const-tuned]="topo=const $TUNED"
 [const-acked]="topo=const $A"                 [const-acked-tuned]="topo=const ack=1 $TACK"
 [wc]="topo=wc"                                [wc-tuned]="topo=wc $TUNED"
 [wc-acked]="topo=wc $A"                       [wc-acked-tuned]="topo=wc ack=1 $TACK"
 [ml-split]="topo=mlwc $A"                     [ml-split-tuned]="topo=mlwc ack=1 pending=5000 $C.shellbolt.max.pending=1000 $C.disable.loadaware.messaging=true $C.stats.sample.rate=0.0005"
 [ml-id]="topo=mlid $A"                        [ml-id-tuned]="topo=mlid ack=1 pending=5000 $C.shellbolt.max.pending=1000 $C.disable.loadaware.messaging=true $C.stats.sample.rate=0.0005"
 [ml-id-unacked]="topo=mlid"                   [ml-spout]="topo=mlspout $A"
 [c-sol]="mode=cluster workers=2 topo=sol levels=2"            [c-sol-tuned]="mode=cluster workers=2 topo=sol levels=2 $TUNED $TNET"
 [c-sol-acked]="mode=cluster workers=2 topo=sol levels=2 $A"   [c-sol-acked-tuned]="mode=cluster workers=2 topo=sol levels=2 ack=1 $TACK $TNET"
 [c-wc]="mode=cluster workers=2 topo=wc bolts=2"               [c-wc-tuned]="mode=cluster workers=2 topo=wc bolts=2 $TUNED $TNET"
 [c-wc-acked]="mode=cluster workers=2 topo=wc bolts=2 $A"      [c-wc-acked-tuned]="mode=cluster workers=2 topo=wc bolts=2 ack=1 $TACK $TNET"
 [c-kill-sink]="mode=cluster workers=2 topo=sol levels=2 kill=1 rate=20000 $A"
 [c-kill-spout]="mode=cluster workers=2 topo=sol levels=2 kill=2 rate=20000 $A"
 [c-kill-unacked]="mode=cluster workers=2 topo=sol levels=2 kill=1 rate=20000"
)
name=${1:?usage: bench.sh CASE [key=value ...] | bench.sh list}; shift
if [ "$name" = list ]; then printf '%s\n' "${!CASES[@]}" | sort; exit; fi
args=${CASES[$name]:?unknown case}
JAR=$BUILD/storm-peer.jar
if [ ! -f "$JAR" ] || [ -n "$(find pom.xml src -newer "$JAR")" ]; then
  timeout 900 mvn -q -B -Dstyle.color=never -Dpeer.build="$BUILD" package >&2
fi
lock() { if [ -n "$LOCK" ]; then flock "$LOCK" "$@"; else "$@"; fi; }
case $args in
mode=cluster*)
  H=$BUILD/home
  [ -d "$H/run" ] || ./cluster.sh up >&2
  lock timeout "$LIMIT_S" java -Xmx256m -Dstorm.jar="$JAR" -Dpeer.home="$H" -Dstorm.log.dir="$H/logs" -Dlogfile.name=bench.log \
    -Dlog4j.configurationFile="$H/log4j2/cluster.xml" -cp "$JAR:$H/lib/*:$H/conf" \
    gearpump.peer.Bench case="$name" dir="$H/run/bench" $args "$@" 2>>"$BUILD/run/err.log" ;;
*)
  lock timeout "$LIMIT_S" java $JOPTS -cp "$JAR:$BUILD/lib/*" gearpump.peer.Bench case="$name" $args "$@" 2>>"$BUILD/run/err.log" ;;
esac
