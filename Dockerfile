# The night in a container: locked libraries, no root, nothing fetched at run time.
#   docker build -t prevenance .
#   docker run --rm --network none --read-only --tmpfs /tmp -v ./exports:/data:ro -v ./out:/out prevenance score out=/out
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements-run.lock ./
RUN python -m venv /opt/prevenance && /opt/prevenance/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements-run.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY pipelines ./pipelines
COPY conf ./conf
RUN /opt/prevenance/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin prevenance && mkdir /out && chown 10001 /out
COPY --from=build /opt/prevenance /opt/prevenance
ENV PATH=/opt/prevenance/bin:$PATH HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 LOGNAME=prevenance
WORKDIR /work
USER 10001
ENTRYPOINT ["prevenance"]
CMD ["--help"]
