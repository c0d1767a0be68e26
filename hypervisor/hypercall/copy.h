/* SPDX-License-Identifier: MIT */
#include "domain/copy.h"
