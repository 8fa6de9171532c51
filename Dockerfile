# The image that flow runs start from, on Docker and Kubernetes work pools; see docs/deploy.md.
FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 holdouts \
 && install -d -o holdouts /opt/holdouts /var/lib/holdouts
WORKDIR /opt/holdouts
COPY --from=build /wheels /wheels
COPY constraints.txt .
RUN pip install --no-cache-dir -c constraints.txt /wheels/*.whl
COPY prefect.yaml .
ARG AUDIENCES=experiments/audiences.yaml
COPY ${AUDIENCES} audiences.yaml
ENV HOLDOUTS_AUDIENCES=/opt/holdouts/audiences.yaml \
    PYTHONUNBUFFERED=1
USER holdouts
