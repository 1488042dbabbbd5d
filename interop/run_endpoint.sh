#!/bin/bash
# What the quic-interop-runner starts in the container; see endpoint/main.mjs for the environment.
set -e

# Routes through the simulated network.
/setup.sh
if [ "$ROLE" = client ]; then /wait-for-it.sh sim:57832 -s -t 30; fi
exec node /endpoint/main.mjs
