#!/bin/sh
echo "$Http_Method $Http_Path"
tr a-z A-Z
