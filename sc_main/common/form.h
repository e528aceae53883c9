// SPDX-License-Identifier: Apache-2.0
/// @file form.h
/// The form of the register block, as the command lines name it.
#ifndef VMMIO_COMMON_FORM_H
#define VMMIO_COMMON_FORM_H

#include "vmmio/tlm/register_form.h"

#include <string>

namespace vmmio
{

/// For device_options::form: tlm is the C model, rtl the verilated block, lockstep both.
/// @param trace_folder where the verilated blocks write FST files; empty: nowhere.
/// @throws std::runtime_error that says what to do if this program has no verilated block, or the
/// C model is to write FST files.
register_form_factory form_named(const std::string &name, const std::string &trace_folder = {});

} // namespace vmmio

#endif
