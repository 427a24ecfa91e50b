# SPDX-License-Identifier: Apache-2.0
#
# Writes the files of a folder into a C source, as byte arrays.
function(backstay_assets out folder)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*)
  set(text "/* generated from src/store/assets: do not edit */\n#include \"store/repository.h\"\n\n")
  set(rows "")
  set(i 0)
  foreach(path ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    get_filename_component(name ${path} NAME)
    file(READ ${path} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND text "static const unsigned char asset_${i}[] = {${bytes}};\n")
    string(APPEND rows "    {\"${name}\", asset_${i}, sizeof asset_${i}},\n")
    math(EXPR i "${i} + 1")
  endforeach()
  string(APPEND text "\nstatic const struct stay_asset assets[] = {\n${rows}};\n\n"
    "const struct stay_asset *stay_assets(size_t *n)\n{\n    *n = STAY_COUNT(assets);\n    return assets;\n}\n")
  file(CONFIGURE OUTPUT ${out} CONTENT "${text}" @ONLY)
endfunction()
