# SPDX-License-Identifier: Apache-2.0
#
# Compiler flags that every target shares.
add_compile_definitions(_GNU_SOURCE BACKSTAY_VERSION="${PROJECT_VERSION}")
add_compile_options(
  -Wall -Wextra -Wshadow -Wconversion -Wundef -Wpointer-arith -Wwrite-strings -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wvla -Wnull-dereference
  -Wno-gnu-statement-expression
  -fno-common -fstack-protector-strong -fno-omit-frame-pointer)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wlogical-op -Wduplicated-cond -Wno-null-dereference)
endif()
if(BACKSTAY_WERROR)
  add_compile_options(-Werror)
endif()
if(BACKSTAY_SANITIZE)
  add_compile_options(-fsanitize=${BACKSTAY_SANITIZE} -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${BACKSTAY_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(BACKSTAY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_link_options(-Wl,-z,relro,-z,now)
