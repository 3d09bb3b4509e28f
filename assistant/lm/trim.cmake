# Included after every project() while llama-cpp-python is compiled (CMAKE_PROJECT_INCLUDE): its own CMakeLists forces
# the "common" library of llama.cpp on, which the Python package neither links nor ships as a dependency. Leaving it out
# saves about a third of the compile time.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "not used by the Python bindings" FORCE)
